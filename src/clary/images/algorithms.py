"""The built-in algorithms that stand on one kit: their registry repositories, environments and metrics.

Metrics are told apart by AWS's own regular expressions, which `clary.algorithms.kit.job` prints lines for.
"""

from dataclasses import dataclass

from clary.images.recipes import NEURAL, NUMERIC, TEXT, Family

Metrics = tuple[tuple[str, str], ...]
"""(name, regular expression) of each."""

HOST = r"host=\S+"
EPOCH = r"(?:epoch=\d+, (?:batch=\d+ )?)?"
"""Not in what is told once, at the end."""
EVERY: Metrics = (
    ("train:progress", rf"#progress_metric: {HOST}, completed (\S+) %"),
    ("train:throughput", rf"#throughput_metric: {HOST}, train throughput=(\S+) records/second"),
)


@dataclass(frozen=True, slots=True)
class Algorithm:
    name: str
    """Of the repository, and what `python -m clary.algorithms` is given."""
    family: Family
    metrics: Metrics


def losses(*names: str) -> Metrics:
    """`test:msd` is printed as `test msd <loss>=…`."""
    return _quality("loss", names)


def scores(*names: str) -> Metrics:
    return _quality("score", names)


def _quality(kind: str, names: tuple[str, ...]) -> Metrics:
    said = {name: name.replace(":", " ", 1) for name in names}
    return tuple((name, rf"#quality_metric: {HOST}, {EPOCH}{words} <{kind}>=(\S+)") for name, words in said.items())


def each_epoch(metrics: Metrics) -> Metrics:
    """Those that are told with the number of an epoch."""
    return tuple((name, pattern.replace(HOST, rf"{HOST}, epoch=\S+")) for name, pattern in metrics)


NUMBER = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
BLAZING_TEXT: Metrics = (
    ("train:mean_rho", rf"#mean_rho: {NUMBER}"),
    ("validation:accuracy", rf"#validation_accuracy: {NUMBER}"),
)


def judged(*names: str) -> tuple[str, ...]:
    """Of the validation data and of the test data."""
    return tuple(f"{channel}:{name}" for channel in ("validation", "test") for name in names)


LINEAR_LEARNER: Metrics = (
    *losses("train:objective_loss", *judged("objective_loss", "mse", "absolute_loss")),
    *scores(
        *judged(
            "binary_classification_accuracy", "binary_f_beta", "precision", "recall", "roc_auc_score",
            "multiclass_accuracy", "multiclass_top_k_accuracy", "macro_precision", "macro_recall", "macro_f_beta",
            "dcg", "r2",
        )
    ),
)  # fmt: skip

NTM = [f"{channel}:{part}_loss" for channel in ("train", "validation") for part in ("total", "kld", "recons")]

FACTORIZATION_MACHINES: Metrics = (
    *losses("train:rmse", "train:binary_classification_cross_entropy"),
    *losses("test:rmse", "test:binary_classification_cross_entropy"),
    *scores("test:binary_classification_accuracy", "test:binary_f_beta"),
)

OBJECT2VEC: Metrics = (
    *each_epoch(losses("validation:cross_entropy", "validation:mean_squared_error")),
    *each_epoch(scores("validation:accuracy")),
    *losses("test:cross_entropy", "test:mean_squared_error"),
    *scores("test:accuracy"),
)
SEQ2SEQ: Metrics = (*losses("validation:perplexity"), *scores("validation:accuracy", "validation:bleu"))

IMAGE_CLASSIFICATION: Metrics = (
    ("train:accuracy", rf".*Epoch\[\d+\] Train-accuracy={NUMBER}"),
    ("validation:accuracy", rf".*Epoch\[\d+\] Validation-accuracy={NUMBER}"),
)

SEMANTIC_SEGMENTATION: Metrics = (
    *each_epoch(losses("train:loss")),
    *each_epoch(scores("validation:mIOU", "validation:pixel_accuracy")),
)
DETECTION = rf"#quality_metric: {HOST}, epoch=\S+, "
OBJECT_DETECTION: Metrics = (
    ("train:cross_entropy", rf"{DETECTION}train cross_entropy <loss>=\((\S+)\)"),
    ("train:smooth_l1", rf"{DETECTION}train smooth_l1 <loss>=\((\S+)\)"),
    ("validation:mAP", rf"{DETECTION}validation mAP <score>=\((\S+)\)"),
)

ALGORITHMS = (
    Algorithm("object-detection", NEURAL, (EVERY[0], *OBJECT_DETECTION)),
    Algorithm("semantic-segmentation", NEURAL, (EVERY[0], *SEMANTIC_SEGMENTATION)),
    Algorithm("image-classification", NEURAL, IMAGE_CLASSIFICATION),
    Algorithm("pca", NUMERIC, EVERY),
    Algorithm(
        "randomcutforest", NUMERIC, (*EVERY, *scores("test:accuracy", "test:precision", "test:recall", "test:f1"))
    ),
    Algorithm("knn", NUMERIC, (*EVERY, *scores("test:accuracy"), *losses("test:mse"))),
    Algorithm("kmeans", NUMERIC, (*EVERY, *losses("train:msd", "train:ssd", "test:msd", "test:ssd"))),
    Algorithm("blazingtext", TEXT, BLAZING_TEXT),
    Algorithm("factorization-machines", NUMERIC, (*EVERY, *FACTORIZATION_MACHINES)),
    Algorithm("ntm", NEURAL, (*EVERY, *losses(*NTM, "test:total_loss"))),
    Algorithm("lda", NUMERIC, (*EVERY, *scores("test:pwll"))),
    Algorithm("linear-learner", NUMERIC, (*EVERY, *LINEAR_LEARNER)),
    Algorithm("ipinsights", NEURAL, each_epoch(scores("validation:discriminator_auc"))),
    Algorithm("object2vec", NEURAL, OBJECT2VEC),
    Algorithm("seq2seq", NEURAL, SEQ2SEQ),
    Algorithm("forecasting-deepar", NEURAL, losses("train:final_loss", "test:RMSE", "test:mean_wQuantileLoss")),
)
