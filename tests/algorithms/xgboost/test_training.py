"""The XGBoost algorithm trains on abalone, as a process on a real `/opt/ml` directory tree."""

import json
import re
import signal
import struct
from pathlib import Path

import numpy as np
import pytest
import xgboost

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import validate
from clary.algorithms.xgboost.channels import check_channels
from clary.algorithms.xgboost.content import Format
from clary.algorithms.xgboost.data import load_matrix
from clary.algorithms.xgboost.hyperparameters import HYPERPARAMETERS
from tests.algorithms import abalone
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms.xgboost", "train")
PARAMETERS = {
    "num_round": "40",
    "max_depth": "5",
    "eta": "0.2",
    "gamma": "4",
    "min_child_weight": "6",
    "subsample": "0.7",
    "objective": "reg:squarederror",
    "seed": "1",
    "nthread": "1",
}


def give(container: Container, channel: str, text: str | bytes, name: str = "part-0") -> None:
    directory = container.root / "input/data" / channel
    directory.mkdir(exist_ok=True)
    (directory / name).write_bytes(text.encode() if isinstance(text, str) else text)


def configure(container: Container, content_type: str | None, *channels: str, **parameters: str) -> None:
    container.configure("hyperparameters", PARAMETERS | parameters)
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    if content_type:
        channel["ContentType"] = content_type
    container.configure("inputdataconfig", dict.fromkeys(channels, channel))


def model_of(container: Container, name: str = "xgboost-model") -> xgboost.Booster:
    booster = xgboost.Booster()
    booster.load_model(bytearray((container.root / "model" / name).read_bytes()))
    return booster


def held_out_rmse(booster: xgboost.Booster) -> float:
    table = np.array(abalone.split()[1], dtype=float)
    error = booster.predict(xgboost.DMatrix(table[:, 1:])) - table[:, 0]
    return float(np.sqrt((error**2).mean()))


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [("text/csv", abalone.as_csv), ("csv; label_size=1", abalone.as_csv), (None, abalone.as_libsvm)],
)
def test_trains_well_and_logs_as_aws_does(container: Container, content_type: str, encode: object) -> None:
    learn, held = abalone.split()
    half = len(learn) // 2
    give(container, "train", encode(learn[:half]), "a")
    (container.root / "input/data/train/deeper").mkdir()
    give(container, "train", encode(learn[half:]), "deeper/b")
    give(container, "validation", encode(held))
    configure(container, content_type, "train", "validation")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    rounds = re.findall(r"^\[(\d+)\]#011train-rmse:(\d+\.\d{5})#011validation-rmse:(\d+\.\d{5})$", output, re.M)
    assert [int(number) for number, _, _ in rounds] == list(range(40))
    assert f"Train matrix has {len(learn)} rows and 8 columns" in output
    rmse = held_out_rmse(model_of(container))
    assert 1.9 < rmse < 2.3
    assert rmse == pytest.approx(float(rounds[-1][2]), abs=1e-4)


def test_model_file_loads_by_its_path(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.split()[0]))
    configure(container, "text/csv", "train", num_round="5")
    assert container.run(*TRAIN)[0] == 0
    booster = xgboost.Booster()
    with pytest.warns(UserWarning, match="UBJSON"):
        booster.load_model(container.root / "model/xgboost-model")
    assert booster.num_boosted_rounds() == 5


def test_early_stopping_keeps_the_best_round(container: Container) -> None:
    learn, held = abalone.split()
    give(container, "train", abalone.as_csv(learn))
    give(container, "validation", abalone.as_csv(held))
    configure(
        container, "text/csv", "train", "validation",
        num_round="500", eta="0.5", eval_metric="mae,rmse", early_stopping_rounds="5",
    )  # fmt: skip
    status, output = container.run(*TRAIN)
    assert status == 0, output
    scores = [float(score) for score in re.findall(r"validation-rmse:([\d.]+)", output)]
    assert len(scores) < 500
    assert model_of(container).num_boosted_rounds() == scores.index(min(scores)) + 1


def test_classification_with_added_metrics_and_weights(container: Container) -> None:
    table = [[str(int(int(row[0]) > 9)), "2.5", *row[1:]] for row in abalone.split()[0]]
    give(container, "train", abalone.as_csv(table))
    give(container, "validation", abalone.as_csv(table[:500]))
    configure(
        container, "text/csv", "train", "validation",
        objective="binary:logistic", csv_weights="1", eval_metric="accuracy,f1,error@0.4",
        _tuning_objective_metric="validation:accuracy", num_round="20", early_stopping_rounds="10",
    )  # fmt: skip
    status, output = container.run(*TRAIN)
    assert status == 0, output
    accuracy = re.findall(r"#011validation-accuracy:([\d.]+)", output)
    assert float(accuracy[-1]) > 0.8
    assert "#011validation-error@0.4:" in output
    assert "#011validation-f1:" in output
    assert model_of(container).num_features() == 8


def test_cross_validation_leaves_a_model_per_fold(container: Container) -> None:
    learn, held = abalone.split()
    give(container, "train", abalone.as_csv(learn))
    give(container, "validation", abalone.as_csv(held))
    configure(container, "text/csv", "train", "validation", _kfold="3", _num_cv_round="2", num_round="10")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert len(re.findall(r"^\[10\]#011train-rmse:[\d.]+#011validation-rmse:[\d.]+$", output, re.M)) == 3
    assert sorted(path.name for path in (container.root / "model").iterdir()) == [
        f"xgboost-model-{fold}" for fold in range(6)
    ]
    predictions = np.loadtxt(container.root / "output/data/predictions.csv", delimiter=",")
    assert predictions.shape == (len(abalone.rows()), 2)
    assert np.sqrt(((predictions[:, 0] - predictions[:, 1]) ** 2).mean()) < 2.6


def test_checkpoints_are_kept_and_resumed_from(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.split()[0]))
    (container.root / "checkpoints").mkdir()
    configure(container, "text/csv", "train", num_round="8")
    assert container.run(*TRAIN)[0] == 0
    names = sorted(path.name for path in (container.root / "checkpoints").iterdir())
    assert names == [f"xgboost-checkpoint.{number}" for number in (3, 4, 5, 6, 7)]
    (container.root / "checkpoints/xgboost-checkpoint.7").write_bytes(b"torn")
    configure(container, "text/csv", "train", num_round="10")
    status, output = container.run(*TRAIN)
    assert status == 0
    assert "Resuming from iteration 7" in output
    assert re.findall(r"^\[(\d+)\]", output, re.M)[-3:] == ["7", "8", "9"]
    assert model_of(container).num_boosted_rounds() == 10


def test_sigterm_saves_the_model_so_far(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.split()[0]))
    configure(container, "text/csv", "train", num_round="100000")
    process = container.start(*TRAIN)
    assert process.stdout is not None
    assert any(line.startswith("[2]") for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert 3 <= model_of(container).num_boosted_rounds() < 100000
    assert container.failure is None


def record(label: float, values: list[float], keys: list[int] | None = None) -> bytes:
    """A RecordIO-protobuf record, encoded by the letter of the format's description."""

    def field(number: int, content: bytes) -> bytes:
        assert len(content) < 128
        return bytes([number << 3 | 2, len(content)]) + content

    def tensor(numbers: list[float], keys: list[int] | None) -> bytes:
        packed = field(1, struct.pack(f"<{len(numbers)}f", *numbers))
        return packed + (field(2, bytes(keys)) if keys else b"")

    def entry(numbers: list[float], keys: list[int] | None = None) -> bytes:
        return field(1, b"values") + field(2, field(2, tensor(numbers, keys)))

    message = field(1, entry(values, keys)) + field(2, entry([label]))
    return struct.pack("<II", 0xCED7230A, len(message)) + message + b"\0" * (-len(message) % 4)


def test_recordio_dense_and_sparse(container: Container) -> None:
    table = [[float(value) for value in row] for row in abalone.split()[0]]
    dense = [record(row[0], row[1:]) for row in table[::2]]
    sparse = [record(row[0], row[2:], list(range(1, 8))) for row in table[1::2]]
    give(container, "train", b"".join(dense), "dense")
    give(container, "train", b"".join(sparse), "sparse")
    configure(container, "application/x-recordio-protobuf", "train", num_round="20")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert f"Train matrix has {len(table)} rows and 8 columns" in output
    assert held_out_rmse(model_of(container)) < 2.4


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"num_round": "0"}, "Hyperparameter num_round: 0 is not in [1, +inf)"),
        ({"eta": "1.5"}, "Hyperparameter eta: 1.5 is not in [0, 1]"),
        ({"learning_rate": "-1"}, "Hyperparameter eta: -1.0 is not in [0, 1]"),
        ({"subsample": "0"}, "Hyperparameter subsample: 0.0 is not in (0, 1]"),
        (
            {"max_depth": "deep"},
            "Hyperparameter max_depth: could not parse value (caused by ValueError)",
        ),
        ({"depth": "3"}, "Extraneous hyperparameter found: depth"),
        (
            {"objective": "multi:softmax"},
            "Require input for parameter 'num_class' for multi-classification",
        ),
        ({"objective": "nonsense"}, "Hyperparameter objective: nonsense is not in ("),
        (
            {"eval_metric": "auc"},
            "Metric 'auc' can only be applied for classification and ranking problems.",
        ),
        ({"eval_metric": "rmse,beauty"}, "Hyperparameter eval_metric: value ['rmse', 'beauty'] not in"),
        ({"eval_metric": "error@x"}, "Threshold value 't' in 'error@t' expects float input."),
        (
            {"monotone_constraints": "(1, 0)"},
            "monotone_constraints can be used only when the tree_method parameter",
        ),
        ({"tree_method": "gpu_hist"}, "GPU training is not supported"),
    ],
)
def test_wrong_hyperparameters_are_the_users_error(parameters: dict[str, str], reason: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(reason)}"):
        validate(HYPERPARAMETERS, PARAMETERS | parameters)


def test_labels_that_do_not_fit_the_objective_are_the_users_error(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.rows()[:50]))
    configure(container, "text/csv", "train", objective="binary:logistic")
    assert container.run(*TRAIN)[0] == 1
    assert container.failure is not None
    assert container.failure.startswith("UserError: ")
    assert container.failure.endswith("for logistic regression")


def test_cross_validation_on_many_instances_is_refused(container: Container) -> None:
    container.configure("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]})
    configure(container, "text/csv", "train", _kfold="3")
    assert container.run(*TRAIN)[0] == 1
    assert container.failure == "UserError: Cross validation (_kfold) runs on one instance, and there are 2."


def test_num_round_is_required(container: Container) -> None:
    container.configure("hyperparameters", {"eta": "0.1"})
    container.configure("inputdataconfig", {"train": {}})
    assert container.run(*TRAIN)[0] == 1
    assert container.failure == "UserError: Missing required hyperparameter: num_round"


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        ({}, "Missing required channel: train"),
        ({"train": {}, "test": {}}, "Extraneous channel found: test"),
        ({"train": {"ContentType": "text/xml"}}, "text/xml is not an accepted ContentType: csv, libsvm"),
        ({"train": {"ContentType": "text/csv;label_size=2"}}, "text/csv;label_size=2 is not an accepted"),
        ({"train": {"TrainingInputMode": "Pipe"}}, "Pipe mode not supported for LibSVM."),
        ({"train": {"TrainingInputMode": "Pipe", "ContentType": "parquet"}}, "Pipe mode not supported for Parquet."),
    ],
)
def test_wrong_channels_are_the_users_error(channels: dict[str, dict[str, str]], reason: str) -> None:
    with pytest.raises(UserError, match=f"^{re.escape(reason)}"):
        check_channels(channels)


def test_an_empty_channel_is_the_users_error(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.rows()[:20]))
    configure(container, "text/csv", "train", "validation")
    assert container.run(*TRAIN)[0] == 1
    assert container.failure == (
        f"UserError: No data in validation channel path {container.root}/input/data/validation"
    )


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("csv", "rings,sex\n1,2\n", "could not convert string 'rings' to float32"),
        ("csv", "1,2\n1,2,3\n", "number of columns changed from 2 to 3"),
        ("csv", "1\n2\n", "Could not determine delimiter on line 1"),
        ("libsvm", "1 2:3 4\n", "'4' is no <index>:<value>"),
        ("libsvm", "1 2:3 4:x\n", "'4:x' is no <index>:<value>"),
        ("libsvm", "1 -1:2\n", "-1 is no index of a feature"),
        ("libsvm", "a 1:2\n", "could not convert string"),
        ("recordio-protobuf", "junk junk", "no RecordIO record begins at byte 0"),
    ],
)
def test_data_that_cannot_be_read_is_the_users_error(tmp_path: Path, kind: Format, text: str, reason: str) -> None:
    (tmp_path / "data").write_text(text)
    with pytest.raises(UserError, match=re.escape(reason)):
        load_matrix([str(tmp_path)], kind)


def test_libsvm_weights_groups_and_comments(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("1:0.5 qid:1 0:2 3:4.5 # first\n\n0:2 qid:1 1:1\n1:1 qid:2\n")
    matrix = load_matrix([str(tmp_path)], "libsvm")
    assert matrix.get_label().tolist() == [1, 0, 1]
    assert matrix.get_group().tolist() == [2, 1]
    assert matrix.get_data().toarray().tolist() == [[2, 0, 0, 4.5], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_parquet(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table({"label": [1, 2], "a": [3.5, 4.5]}), tmp_path / "data.parquet")
    matrix = load_matrix([str(tmp_path)], "parquet")
    assert matrix.get_label().tolist() == [1, 2]
    assert matrix.get_data().toarray().tolist() == [[3.5], [4.5]]


def test_hidden_files_and_missing_values(container: Container) -> None:
    give(container, "train", "1,2,,4\n2,,3,\n")
    configure(container, "text/csv", "train", num_round="1")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert "Train matrix has 2 rows and 3 columns" in output
    give(container, "train", "1,2", ".DS_Store")
    assert container.run(*TRAIN)[0] == 1
    assert container.failure == "UserError: Hidden file found in the data path! Remove that before training."


def test_config_files_hold_json(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.rows()[:100]))
    configure(container, "text/csv", "train", num_round=json.dumps("3"), sagemaker_region='"us-east-1"')
    assert container.run(*TRAIN)[0] == 0
    assert model_of(container).num_boosted_rounds() == 3
