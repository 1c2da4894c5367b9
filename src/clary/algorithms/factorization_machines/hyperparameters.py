"""As "Factorization Machines Hyperparameters" has them
(docs.aws.amazon.com/sagemaker/latest/dg/fact-machines-hyperparameters.html), and what the SageMaker SDK sends."""

from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.parameters import POSITIVE, category, continuous, integer

BINARY, REGRESSOR = "binary_classifier", "regressor"
FROM_ZERO = Interval(0)
ANY = Interval()


def _part(name: str, rate: float, decay: float, sigma: float) -> tuple[Hyperparameter, ...]:
    """Of one part of the model: how it begins and how it learns."""
    return (
        category(f"{name}_init_method", "normal", "uniform", "constant", default="normal"),
        continuous(f"{name}_init_scale", FROM_ZERO),
        continuous(f"{name}_init_sigma", FROM_ZERO, default=sigma),
        continuous(f"{name}_init_value", ANY),
        continuous(f"{name}_lr", FROM_ZERO, default=rate),
        continuous(f"{name}_wd", FROM_ZERO, default=decay),
    )


HYPERPARAMETERS = (
    integer("feature_dim", POSITIVE, required=True),
    integer("num_factors", POSITIVE, required=True),
    category("predictor_type", BINARY, REGRESSOR, required=True),
    integer("mini_batch_size", POSITIVE, default=1000),
    integer("epochs", POSITIVE, default=1),
    continuous("clip_gradient", ANY),
    continuous("eps", ANY),
    continuous("rescale_grad", ANY),
    *_part("bias", 0.1, 0.01, 0.01),
    *_part("linear", 0.001, 0.001, 0.01),
    *_part("factors", 0.0001, 0.00001, 0.001),
)
