"""The documented hyperparameters of IP Insights.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-hyperparameters.html.
"""

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import continuous, integer

RATES = Interval(0, 500)

HYPERPARAMETERS = (
    integer("feature_dim"),  # Of no meaning here: the SDK's class sends it.
    integer("num_entity_vectors", Interval(1, 250_000_000), required=True),
    integer("vector_dim", Interval(4, 4096), required=True),
    integer("batch_metrics_publish_interval", default=1000),
    integer("epochs", default=10),
    continuous("learning_rate", Interval(1e-6, 10), default=0.001),
    integer("mini_batch_size", Interval(1, 500_000), default=10_000),
    integer("num_ip_encoder_layers", Interval(0, 100), default=1),
    integer("random_negative_sampling_rate", RATES, default=1),
    integer("shuffled_negative_sampling_rate", RATES, default=1),
    continuous("weight_decay", Interval(0, 10), default=0.00001),
)
