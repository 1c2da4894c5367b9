"""The algorithms of rows without labels."""

from clary.algorithms.kit.channels import CSV
from tests.algorithms.cases.case import Case, Channel, Job, Mistakes
from tests.algorithms.cases.rows import (
    REFUSALS,
    ROWS,
    UNLABELLED,
    blobs,
    csv,
    forms,
    job,
    mistakes_of_csv,
    mistakes_of_records,
)


def kmeans_mistakes(good: Job) -> Mistakes:
    return {
        **mistakes_of_csv(good),
        **mistakes_of_records(good),
        "too few rows": (good.holding("train", b"1,2,3,4\n"), "k is 3, and there are only 1 rows"),
        "huge features": (good.holding("train", b"3e38,2,3,4\n-3e38,6,7,8\n3e38,1,1,1\n3e38,4,4,4\n"), "too large"),
    }


def pca_mistakes(good: Job) -> Mistakes:
    return {
        **mistakes_of_csv(good),
        **mistakes_of_records(good),
        "too many components": (good.given(num_components="5"), "'5' is not valid for the 'num_components'"),
        "huge features": (good.holding("train", b"3e38,2,3,4\n-3e38,6,7,8\n3e38,1,1,1\n3e38,4,4,4\n"), "too large"),
    }


def forest_mistakes(good: Job) -> Mistakes:
    test = Channel(f"{CSV};label_size=1", {"t.csv": b"0,1,2,3,4\n7,1,2,3,4\n"})
    return {
        **mistakes_of_csv(good),
        **mistakes_of_records(good),
        "wrong test label": (
            Job(good.hyperparameters, {**good.channels, "test": test}),
            "t.csv: line 2 has the label 7: a test of anomalies needs labels that are whole numbers from 0 to 1",
        ),
        "eval_metrics": (good.given(eval_metrics='["colour"]'), "is not valid for the 'eval_metrics'"),
        "broken JSON": (
            good.given(eval_metrics='["accuracy"'),
            "Hyperparameter must be valid json, but found eval_metrics",
        ),
        "huge features": (good.holding("train", b"3e38,2,3,4\n-3e38,6,7,8\n3e38,1,1,1\n3e38,4,4,4\n"), "too large"),
    }


CASES = (
    Case(
        "kmeans",
        job(UNLABELLED, "data.csv", lambda seed: csv(blobs(seed)[0]), k="3", feature_dim="4"),
        forms(ROWS, with_csv=True),
        ("closest_cluster", "distance_to_cluster"),
        kmeans_mistakes,
        REFUSALS,
        "k",
        unfit="text/libsvm",
    ),
    Case(
        "pca",
        job(
            UNLABELLED,
            "data.csv",
            lambda seed: csv(blobs(seed)[0]),
            feature_dim="4",
            num_components="2",
            mini_batch_size="50",
        ),
        forms(ROWS, with_csv=True),
        ("projection",),
        pca_mistakes,
        REFUSALS,
        "num_components",
        ("mini_batch_size", "0"),
        "text/libsvm",
    ),
    Case(
        "randomcutforest",
        job(
            UNLABELLED,
            "data.csv",
            lambda seed: csv(blobs(seed)[0]),
            feature_dim="4",
            num_trees="50",
            num_samples_per_tree="20",
        ),
        forms(ROWS, with_csv=True),
        ("score",),
        forest_mistakes,
        REFUSALS,
        "feature_dim",
        ("num_trees", "49"),
        "text/libsvm",
    ),
)
