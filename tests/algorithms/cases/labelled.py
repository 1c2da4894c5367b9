"""The algorithms of rows with labels."""

import numpy as np

from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.algorithms.kit.formats import JSONLINES
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.cases.case import Case, Form, Job, Mistakes, no_data
from tests.algorithms.cases.rows import (
    ASKED,
    REFUSALS,
    ROWS,
    UNLABELLED,
    WIDTH,
    blobs,
    csv,
    forms,
    instances,
    job,
    mistakes_of_records,
    records,
)
from tests.algorithms.container import sparse_records


def labelled(seed: int) -> bytes:
    rows, labels = blobs(seed)
    return csv(np.column_stack([labels, rows]))


def machine_records(seed: int) -> bytes:
    rows, labels = blobs(seed)
    return write_records({"values": rows}, {"values": (labels > 0).astype(np.float32)})


def labelled_mistakes(good: Job) -> Mistakes:
    """Of a label, then four features."""

    def with_file(content: bytes) -> Job:
        return good.holding("train", content)

    rows = np.ones((40, WIDTH), np.float32)
    return {
        **mistakes_of_records(good),
        "no finite number": (with_file(b"1,1,2,3,4\n0,5,nan,7,8\n"), "data.csv: line 2 has nan for feature 2"),
        "label nan": (with_file(b"1,1,2,3,4\nnan,5,6,7,8\n"), "data.csv: line 2 has the label nan"),
        "label inf": (with_file(b"1,1,2,3,4\ninf,5,6,7,8\n"), "data.csv: line 2 has the label inf"),
        "label of text": (with_file(b"1,1,2,3,4\nred,5,6,7,8\n"), "data.csv: line 2 has 'red', which is no number"),
        "shorter row": (with_file(b"1,1,2,3,4\n0,5,6\n"), "data.csv: line 2 has 3 columns"),
        "feature_dim of others": (good.given(feature_dim="3"), "data.csv: line 1 has 4 features, and feature_dim is 3"),
        "no labels": (good.typed("train", UNLABELLED).given(feature_dim="5"), "data.csv: line 1 has no label"),
        "records without labels": (
            good.typed("train", RECORDIO).holding("train", write_records({"values": rows}, {})),
            "data.csv: record 1 has no label",
        ),
    }


def linear_learner_mistakes(good: Job) -> Mistakes:
    def with_file(content: bytes) -> Job:
        return good.holding("train", content)

    wrong = "needs labels that are whole numbers from 0 to 2"
    binary = good.given(predictor_type="binary_classifier", num_classes=None)
    return {
        **labelled_mistakes(good),
        "no whole label": (
            with_file(b"1,1,2,3,4\n0.5,5,6,7,8\n"),
            f"data.csv: line 2 has the label 0.5: a multiclass_classifier {wrong}",
        ),
        "negative label": (with_file(b"1,1,2,3,4\n-1,5,6,7,8\n"), "data.csv: line 2 has the label -1"),
        "label beyond": (with_file(b"1,1,2,3,4\n3,5,6,7,8\n"), "data.csv: line 2 has the label 3"),
        "label of three": (
            binary,
            "data.csv: line 3 has the label 2: a binary_classifier needs labels that are whole numbers from 0 to 1",
        ),
        "no num_classes": (good.given(num_classes=None), "No value(s) were specified for 'num_classes'"),
        "learning that runs away": (
            good.given(predictor_type="regressor", optimizer="sgd", learning_rate="1e30", num_models="1"),
            "too large",
        ),
        "rate of infinity": (good.given(learning_rate="inf"), "'inf' is not valid for the 'learning_rate'"),
        "loss of others": (good.given(loss="hinge_loss"), "'hinge_loss' is not valid for the 'loss'"),
        "huge features": (with_file(b"1,3e38,2,3,4\n0,-3e38,6,7,8\n2,3e38,1,1,1\n"), "too large"),
        "empty validation": (good.having("validation", CSV, {"v.csv": b""}), no_data("validation")),
        "wrong validation": (
            good.having("validation", CSV, {"v.csv": b"1,1\n"}),
            "v.csv: line 1 has 1 features, and feature_dim is 4",
        ),
    }


def knn_mistakes(good: Job) -> Mistakes:
    return {
        **labelled_mistakes(good),
        "too few rows": (good.holding("train", b"1,1,2,3,4\n"), "k is 3, and there are only 1 rows"),
        "no whole label": (good.holding("train", b"0.5,1,2,3,4\n" * 5), "data.csv: line 1 has the label 0.5"),
        "target of others": (
            good.given(dimension_reduction_type="sign", dimension_reduction_target="4"),
            "'dimension_reduction_target'",
        ),
        "huge features": (good.holding("train", b"1,3e38,2,3,4\n0,-3e38,6,7,8\n2,3e38,1,1,1\n"), "too large"),
    }


def machine_mistakes(good: Job) -> Mistakes:
    rows, _ = blobs(0)
    huge = write_records({"values": np.full((40, 4), 3e38, np.float32)}, {"values": np.ones(40, np.float32)})
    return {
        **mistakes_of_records(good, "data.pbr"),
        "label of others": (
            good.holding("train", write_records({"values": rows}, {"values": np.full(len(rows), 5.0)})),
            "data.pbr: record 1 has the label 5: a binary_classifier needs labels that are whole numbers from 0 to 1",
        ),
        "feature_dim of others": (
            good.given(feature_dim="3"),
            "data.pbr: record 1 has 4 features, and feature_dim is 3",
        ),
        "learning that runs away": (good.given(linear_lr="1e38", factors_lr="1e38", bias_lr="1e38"), "too large"),
        "no labels": (good.holding("train", write_records({"values": rows}, {})), "data.pbr: record 1 has no label"),
        "sparse beyond": (
            good.given(feature_dim="2").holding("train", sparse_records(rows, np.ones(len(rows), np.float32))),
            "data.pbr: record 1 has 4 features, and feature_dim is 2",
        ),
        "huge features": (
            good.holding("train", huge),
            "data.pbr: record 1 has 3e+38 for feature 1, which is too large",
        ),
    }


CASES = (
    Case(
        "linear-learner",
        job(
            CSV,
            "data.csv",
            labelled,
            predictor_type="multiclass_classifier",
            num_classes="3",
            num_models="4",
            epochs="2",
        ),
        forms(ROWS),
        ("score", "predicted_label"),
        linear_learner_mistakes,
        REFUSALS,
        "predictor_type",
        unfit="text/libsvm",
    ),
    Case(
        "knn",
        job(CSV, "data.csv", labelled, k="3", feature_dim="4", sample_size="100", predictor_type="classifier"),
        forms(ROWS),
        ("predicted_label",),
        knn_mistakes,
        REFUSALS,
        "sample_size",
        ("k", "0"),
        "text/libsvm",
    ),
    Case(
        "factorization-machines",
        job(
            RECORDIO,
            "data.pbr",
            machine_records,
            feature_dim="4",
            num_factors="2",
            predictor_type="binary_classifier",
            epochs="3",
            mini_batch_size="30",
        ),
        [
            Form(JSONLINES, JSONLINES, instances(ROWS[:ASKED])),
            Form(RECORDIO, JSONLINES, records(ROWS[:ASKED]), "RecordIO"),
        ],
        ("score", "predicted_label"),
        machine_mistakes,
        REFUSALS,
        "num_factors",
        unfit=CSV,
    ),
)
