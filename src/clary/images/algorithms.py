"""The built-in algorithms that stand on one kit: their registry repositories, environments and metrics."""

from dataclasses import dataclass

from clary.images.metrics import (
    BLAZING_TEXT,
    DEEPAR,
    EVERY,
    FACTORIZATION_MACHINES,
    IMAGE_CLASSIFICATION,
    IP_INSIGHTS,
    LINEAR_LEARNER,
    NTM,
    OBJECT2VEC,
    OBJECT_DETECTION,
    SEMANTIC_SEGMENTATION,
    SEQ2SEQ,
    Metrics,
    each,
    losses,
    scores,
)
from clary.images.recipes import NEURAL, NUMERIC, TEXT, Family


@dataclass(frozen=True, slots=True)
class Algorithm:
    name: str
    """Of the repository, and what `python -m clary.algorithms` is given."""
    family: Family
    metrics: Metrics


ALGORITHMS = (
    Algorithm("object-detection", NEURAL, (*EVERY, *OBJECT_DETECTION)),
    Algorithm("semantic-segmentation", NEURAL, (*EVERY, *SEMANTIC_SEGMENTATION)),
    Algorithm("image-classification", NEURAL, IMAGE_CLASSIFICATION),
    Algorithm("pca", NUMERIC, EVERY),
    Algorithm(
        "randomcutforest", NUMERIC, (*EVERY, *scores("test:accuracy", "test:precision", "test:recall", "test:f1"))
    ),
    Algorithm("knn", NUMERIC, (*EVERY, *scores("test:accuracy"), *losses("test:mse"))),
    Algorithm("kmeans", NUMERIC, (*EVERY, *losses(*each("train test", "msd", "ssd")))),
    Algorithm("blazingtext", TEXT, BLAZING_TEXT),
    Algorithm("factorization-machines", NUMERIC, (*EVERY, *FACTORIZATION_MACHINES)),
    Algorithm("ntm", NEURAL, (*EVERY, *NTM)),
    Algorithm("lda", NUMERIC, (*EVERY, *scores("test:pwll"))),
    Algorithm("linear-learner", NUMERIC, (*EVERY, *LINEAR_LEARNER)),
    Algorithm("ipinsights", NEURAL, (*EVERY, *IP_INSIGHTS)),
    Algorithm("object2vec", NEURAL, (*EVERY, *OBJECT2VEC)),
    Algorithm("seq2seq", NEURAL, SEQ2SEQ),
    Algorithm("forecasting-deepar", NEURAL, (*EVERY, *DEEPAR)),
)
