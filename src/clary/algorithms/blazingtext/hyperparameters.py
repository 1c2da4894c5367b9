"""The documented hyperparameters of BlazingText, of both its kinds of training.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext_hyperparameters.html.
"""

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import boolean, category, continuous, integer

POSITIVE = Interval(0, low_open=True)

HYPERPARAMETERS = (
    category("mode", "batch_skipgram", "skipgram", "cbow", "supervised", required=True),
    integer("batch_size", default=11),
    integer("buckets", default=2_000_000),
    boolean("early_stopping", default=False),
    integer("epochs", default=5),
    boolean("evaluation", default=True),
    continuous("learning_rate", POSITIVE, default=0.05),
    integer("min_char", default=3),
    integer("min_count", Interval(0), default=5),
    integer("max_char", default=6),
    integer("min_epochs", default=5),
    integer("negative_samples", default=5),
    integer("patience", default=4),
    continuous("sampling_threshold", POSITIVE, default=0.0001),
    boolean("subwords", default=False),
    integer("vector_dim", default=100),
    integer("window_size", default=5),
    integer("word_ngrams", default=2),
)
