"""Registry URIs of any account, region and tag lead to what runs in their place."""

import pytest

from clary.images.table import UnknownImage, find_image, serve_command, train_command

XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"


@pytest.mark.parametrize(
    ("uri", "repository"),
    [
        (XGBOOST, "sagemaker-xgboost"),
        ("141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:1.5-1-cpu-py3", "sagemaker-xgboost"),
        ("811284229777.dkr.ecr.us-east-1.amazonaws.com/xgboost:latest", "xgboost"),
        (
            "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
            "sagemaker-scikit-learn",
        ),
        (
            "451049120500.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-scikit-learn@sha256:" + "a" * 64,
            "sagemaker-scikit-learn",
        ),
    ],
)
def test_the_repository_alone_decides(uri: str, repository: str) -> None:
    assert find_image(uri).repository == repository


@pytest.mark.parametrize(
    "uri", ["ubuntu", "me/own-sagemaker-xgboost:1", "x" * 255, "sagemaker-xgboost-neo:latest", " "]
)
def test_an_unknown_image_is_told_which_are_known(uri: str) -> None:
    with pytest.raises(UnknownImage, match="sagemaker-scikit-learn, sagemaker-xgboost, xgboost"):
        find_image(uri)


def test_a_named_program_means_script_mode() -> None:
    image = find_image(XGBOOST)
    assert train_command(image, {"sagemaker_program": '"train.py"'}, {}) == image.script_train
    assert train_command(image, {}, {"SAGEMAKER_PROGRAM": "train.py"}) == image.script_train
    assert train_command(image, {"num_round": "5"}, {}) == image.algorithm_train
    assert serve_command(image, {"SAGEMAKER_PROGRAM": "inference.py"}) == image.script_serve
    assert serve_command(image, {}) == image.algorithm_serve


def test_what_an_image_cannot_do_is_said() -> None:
    with pytest.raises(UnknownImage, match="runs no script"):
        train_command(find_image("1.dkr.ecr.us-east-1.amazonaws.com/xgboost:1"), {"sagemaker_program": "x.py"}, {})
    with pytest.raises(UnknownImage, match="was given none"):
        serve_command(find_image("1.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1"), {})


@pytest.mark.parametrize(
    ("uri", "instead"),
    [
        ("520713654638.dkr.ecr.us-east-1.amazonaws.com/sagemaker-chainer:5.0.0-cpu-py3", "PyTorch"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/mxnet-training:1.9.0-gpu-py38", "pytorch-training"),
        ("763104351884.dkr.ecr.us-east-1.amazonaws.com/mxnet-inference:1.9.0-cpu-py38", "tensorflow"),
    ],
)
def test_retired_frameworks_are_refused_with_what_to_use_instead(uri: str, instead: str) -> None:
    with pytest.raises(UnknownImage, match=instead):
        find_image(uri)
