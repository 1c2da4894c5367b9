"""Metrics of AWS's own algorithms: their names, and AWS's regular expressions for the lines that tell them.

    #quality_metric: host=<host>, [epoch=<n>, [batch=<n> ]]<channel> <metric> <loss or score>=<value>

What is told of each batch or epoch has that in its line; `:epoch` and `:final` in a name tell it from another one of
the same metric. `clary.algorithms.kit.job` prints such lines.
"""

Metrics = tuple[tuple[str, str], ...]
"""(name, regular expression) of each."""

HOST = r"host=\S+, "
OF_EPOCH = rf"{HOST}epoch=\S+, "
OF_BATCH = rf"{OF_EPOCH}batch=\S+ "
PROGRESS: Metrics = (("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),)
EVERY: Metrics = (
    *PROGRESS,
    ("train:throughput", r"#throughput_metric: host=\S+, train throughput=(\S+) records/second"),
)
NUMBER = r"([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)"
SAID = {
    "objective_loss": r"\S+_objective",
    "binary_f_beta": r"binary_f_\S+",
    "macro_f_beta": r"macro_f_\S+",
    "multiclass_top_k_accuracy": r"multiclass_top_k_accuracy_\S+",
}
"""Metrics whose lines have more to tell: the loss, the beta, the k."""


def losses(*names: str, when: str = HOST) -> Metrics:
    """`test:msd` is printed as `test msd <loss>=…`."""
    return tuple((name, _line("loss", name, when)) for name in names)


def scores(*names: str, when: str = HOST) -> Metrics:
    return tuple((name, _line("score", name, when)) for name in names)


def _line(kind: str, name: str, when: str) -> str:
    channel, metric = name.split(":")[:2]
    return rf"#quality_metric: {when}{channel} {SAID.get(metric, metric)} <{kind}>=(\S+)"


def each(channels: str, *names: str) -> tuple[str, ...]:
    """Of each of the channels."""
    return tuple(f"{channel}:{name}" for channel in channels.split() for name in names)


CLASSIFIED = ("binary_classification_accuracy", "binary_f_beta", "precision", "recall")
JUDGED = ("multiclass_accuracy", "multiclass_top_k_accuracy", "macro_precision", "macro_recall", "macro_f_beta", "dcg")
LINEAR_LEARNER: Metrics = (
    *losses("train:objective_loss", "validation:objective_loss", when=OF_EPOCH),
    *losses("train:objective_loss:final", "validation:objective_loss:final", "test:objective_loss"),
    *losses(*each("train validation test", "mse", "absolute_loss")),
    *scores(*each("train validation test", *CLASSIFIED), *each("validation test", *JUDGED, "roc_auc_score")),
)
ACCURACY, ENTROPY = "binary_classification_accuracy", "binary_classification_cross_entropy"
FACTORIZATION_MACHINES: Metrics = (
    *losses(f"train:{ENTROPY}:epoch", "train:rmse:epoch", when=OF_EPOCH),
    *losses(f"train:{ENTROPY}", "train:rmse", when=OF_BATCH),
    *scores(f"train:{ACCURACY}:epoch", when=OF_EPOCH),
    *scores(f"train:{ACCURACY}", when=OF_BATCH),
    *losses("test:rmse", f"test:{ENTROPY}"),
    *scores(f"test:{ACCURACY}", "test:binary_f_beta"),
)
IP_INSIGHTS: Metrics = (
    *losses(f"train:{ENTROPY}:epoch", when=OF_EPOCH),
    *losses(f"train:{ENTROPY}", when=OF_BATCH),
    *scores(f"train:{ACCURACY}:epoch", "validation:discriminator_auc", when=OF_EPOCH),
    *scores(f"train:{ACCURACY}", when=OF_BATCH),
)
OBJECT2VEC: Metrics = (
    *losses(*each("train validation", "cross_entropy", "mean_squared_error"), when=OF_EPOCH),
    *scores(*each("train validation", "accuracy"), when=OF_EPOCH),
    *losses(*each("test", "cross_entropy", "mean_squared_error")),
    *scores("test:accuracy"),
)
DEEPAR: Metrics = (
    *losses("train:loss", when=OF_EPOCH),
    *losses("train:loss:batch", when=OF_BATCH),
    *losses("train:final_loss", "test:RMSE", "test:mean_wQuantileLoss"),
)
NTM: Metrics = (
    *losses(*each("train validation", "total_loss", "kld_loss", "recons_loss"), when=OF_EPOCH),
    *losses("test:total_loss"),
)
SEQ2SEQ: Metrics = (*losses("validation:perplexity"), *scores("validation:accuracy", "validation:bleu"))
BLAZING_TEXT: Metrics = (
    ("train:mean_rho", rf"#mean_rho: {NUMBER}"),
    ("validation:accuracy", rf"#validation_accuracy: {NUMBER}"),
)
IMAGE_CLASSIFICATION: Metrics = (
    ("train:accuracy", rf"Epoch\[\d+\] (?:Batch \[\d+\].*\s|Train-)accuracy={NUMBER}"),
    ("train:accuracy:epoch", rf"Epoch\[\d+\] Train-accuracy={NUMBER}"),
    ("validation:accuracy", rf"Epoch\[\d+\] Validation-accuracy={NUMBER}"),
)
OBJECT_DETECTION: Metrics = (
    *losses("train:cross_entropy", "train:smooth_l1", when=OF_BATCH),
    ("validation:mAP", rf"#quality_metric: {OF_EPOCH}validation mAP <score>=\((\S+)\)"),
)
SEMANTIC_SEGMENTATION: Metrics = (
    *losses("train:loss", when=OF_EPOCH),
    *scores("validation:mIOU", "validation:pixel_accuracy", when=OF_EPOCH),
)
