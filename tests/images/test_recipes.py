"""From tags to what is installed."""

import pytest

from clary.images.recipes import HUGGINGFACE, PYTORCH, SCIKIT_LEARN, XGBOOST, Family


@pytest.mark.parametrize(
    ("family", "tag", "version"),
    [
        (SCIKIT_LEARN, "1.2-1-cpu-py3", "1.2"),
        (SCIKIT_LEARN, "0.20.0-cpu-py3", "0.20.0"),
        (XGBOOST, "0.90-2", "0.90"),
        (XGBOOST, "1.7-1", "1.7"),
        (XGBOOST, "latest", ""),
        (XGBOOST, "", ""),
        (PYTORCH, "2.3.0-gpu-py311-cu121-ubuntu20.04-sagemaker", "2.3.0"),
        (HUGGINGFACE, "2.1.0-transformers4.36.0-gpu-py310-cu121-ubuntu20.04", "4.36.0"),
    ],
)
def test_a_tag_names_a_version(family: Family, tag: str, version: str) -> None:
    assert family.recipe("repository", tag).version == version


def test_old_releases_come_with_what_is_of_their_time() -> None:
    assert "numpy<2" in XGBOOST.recipe("xgboost", "0.90-2").requirements
    assert XGBOOST.recipe("xgboost", "1.7-1").package == "xgboost"
    assert XGBOOST.recipe("sagemaker-xgboost", "3.0-5").package == "xgboost-cpu"
    assert "numpy<2" not in XGBOOST.recipe("sagemaker-xgboost", "latest").requirements


def test_a_second_package_of_a_tag_is_pinned_too() -> None:
    assert "torch==2.1.0.*" in HUGGINGFACE.recipe("r", "2.1.0-transformers4.36.0-gpu-py310").requirements
    assert "torch" in HUGGINGFACE.recipe("r", "latest").requirements


def test_a_series_is_matched_by_its_releases_only() -> None:
    series = XGBOOST.recipe("xgboost", "1.7-1")
    assert series.matches("1.7.6")
    assert not series.matches("1.70.0")
    assert not series.matches("1.6.2")
    assert PYTORCH.recipe("pytorch-training", "2.13.0-cpu").matches("2.13.0+cpu")
    assert XGBOOST.recipe("xgboost", "latest").matches("9.9")


def test_tags_that_mean_the_same_share_an_environment() -> None:
    interpreters = {"3.11": "/usr/bin/python3.11"}
    one, other = SCIKIT_LEARN.recipe("a", "1.2-1-cpu-py3"), SCIKIT_LEARN.recipe("b", "1.2-2")
    assert one.key(interpreters) == other.key(interpreters)
    assert one.key(interpreters) != SCIKIT_LEARN.recipe("a", "1.4-2").key(interpreters)
    assert one.key(interpreters) != one.key({"3.11": "/opt/python3.11"})
    assert one.key(interpreters) == one.key({**interpreters, "3.14": "/usr/bin/python3.14"})
