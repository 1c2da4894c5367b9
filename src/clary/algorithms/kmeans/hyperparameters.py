"""As "K-Means Hyperparameters" (docs.aws.amazon.com/sagemaker/latest/dg/k-means-api-config.html) has them, and what the
SageMaker SDK sends."""

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import AUTO, POSITIVE, boolean, category, continuous, integer, subset

INITS = ("random", "kmeans++")

HYPERPARAMETERS = (
    integer("feature_dim", POSITIVE, required=True),
    integer("k", POSITIVE, required=True),
    integer("mini_batch_size", POSITIVE, default=5000),
    integer("epochs", POSITIVE, default=1),
    category("init_method", *INITS, default="random"),
    integer("extra_center_factor", POSITIVE, default=AUTO),
    integer("half_life_time_size", Interval(0), default=0),
    category("local_lloyd_init_method", *INITS, default="kmeans++"),
    integer("local_lloyd_max_iter", POSITIVE, default=300),
    integer("local_lloyd_num_trials", POSITIVE, default=AUTO),
    continuous("local_lloyd_tol", Interval(0, 1), default=0.0001),
    subset("eval_metrics", "msd", "ssd", default=("msd",)),
    boolean("force_dense", default=True),
)
