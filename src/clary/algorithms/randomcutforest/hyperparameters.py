"""As "RCF Hyperparameters" (docs.aws.amazon.com/sagemaker/latest/dg/rcf_hyperparameters.html) has them, and what the
SageMaker SDK sends."""

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import POSITIVE, integer, subset

ACCURACY, PRECISION_RECALL_FSCORE = "accuracy", "precision_recall_fscore"

HYPERPARAMETERS = (
    integer("feature_dim", Interval(1, 10000), required=True),
    integer("num_trees", Interval(50, 1000), default=100),
    integer("num_samples_per_tree", Interval(1, 2048), default=256),
    integer("mini_batch_size", POSITIVE, default=1000),
    subset(
        "eval_metrics",
        ACCURACY,
        PRECISION_RECALL_FSCORE,
        default=(ACCURACY, PRECISION_RECALL_FSCORE),
    ),
)
