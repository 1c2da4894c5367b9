"""`clary images`, on stand-ins for what scikit-learn's image is made of: names and versions, no contents."""

import json
import os
from pathlib import Path

import pytest

from clary.engines.interpreters import find_interpreters
from clary.images.table import find_recipe
from clary.instance.own_images.roots import provide
from tests.cli.conftest import Clary
from tests.engines.packages import scikit_learn_stand_ins
from tests.instance.ears import Ear
from tests.oci_images import build, layer

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"


@pytest.fixture
def index(tmp_path: Path) -> dict[str, str]:
    """Variables for a machine whose packages are these, and whose cache is its own."""
    return {
        **scikit_learn_stand_ins(tmp_path / "wheels", "1.4.1"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }


def test_pull_list_remove(clary: Clary, index: dict[str, str]) -> None:
    assert "There are no images" in clary("images", "list", **index).stdout
    pulled = clary("images", "pull", IMAGE, "--json", **index)
    assert pulled.returncode == 0, pulled.stderr
    assert json.loads(pulled.stdout) == [{"image": "sagemaker-scikit-learn:1.4-2-cpu-py3", "version": "1.4.1"}]
    assert "already here" in clary("images", "pull", "sagemaker-scikit-learn:1.4-2", **index).stderr
    shown = clary("images", "list", **index).stdout
    assert "sagemaker-scikit-learn:1.4-2-cpu-py3" in shown
    assert "scikit-learn 1.4.1" in shown
    (listed,) = json.loads(clary("images", "list", "--json", **index).stdout)
    assert listed["complete"]
    assert listed["bytes"] > 1000
    assert "Removed" in clary("images", "remove", "sagemaker-scikit-learn:1.4-2", **index).stdout
    assert clary("images", "list", "--json", **index).stdout.strip() in ("", "[]")
    gone = clary("images", "remove", IMAGE, **index)
    assert gone.returncode == 1
    assert "is not in" in gone.stderr


def test_prune_takes_the_old_and_the_unfinished(clary: Clary, index: dict[str, str], tmp_path: Path) -> None:
    assert clary("images", "pull", IMAGE, **index).returncode == 0
    environments = tmp_path / "cache" / "clary" / "environments"
    (environments / "unfinished").mkdir()
    assert "1 removed" in clary("images", "prune", **index).stdout
    kept = environments / find_recipe(IMAGE).key(find_interpreters())
    assert (kept / "image.json").exists()
    os.utime(kept / "image.json", (0, 0))
    assert "Removed sagemaker-scikit-learn:1.4-2-cpu-py3" in clary("images", "prune", **index).stdout
    assert not kept.exists()


def test_what_cannot_be_pulled_is_told(clary: Clary, index: dict[str, str], tmp_path: Path) -> None:
    refused = clary("images", "pull", "mxnet-training:1.9.0-cpu-py38", **index)
    assert refused.returncode == 1
    assert "use PyTorch" in refused.stderr
    next((tmp_path / "wheels").glob("pandas*")).unlink()
    failed = clary("images", "pull", IMAGE, **index)
    assert failed.returncode == 1
    assert "could not be downloaded" in failed.stderr
    assert "pandas" in failed.stderr


def test_own_images_are_listed_removed_and_pruned(clary: Clary, index: dict[str, str], tmp_path: Path) -> None:
    images = tmp_path / "cache" / "clary" / "images"
    base = layer({"base": "b" * 5000})
    for tag, name in (("1", "kept"), ("2", "gone")):
        built = build(tmp_path / tag, [base, layer({name: "x" * 5000})], reference=f"localhost:7373/team/own:{tag}")
        os.close(provide(str(images), built.image, 0, Ear()).lock)
    (images / "unfinished").mkdir()
    listed = json.loads(clary("images", "list", "--json", **index).stdout)
    assert {each.get("image") for each in listed} == {"localhost:7373/team/own:1", "localhost:7373/team/own:2", None}
    assert all(each["bytes"] > 8000 for each in listed if each["complete"])
    assert "team/own:1" in clary("images", "list", **index).stdout
    assert "Removed team/own:2" in clary("images", "remove", "team/own:2", **index).stdout
    files = {path.name for path in images.rglob("*") if path.is_file()}
    assert {"base", "kept"} <= files
    assert "gone" not in files
    assert "1 removed" in clary("images", "prune", **index).stdout
    assert "Removed localhost:7373/team/own:1" in clary("images", "prune", "--days", "0", **index).stdout
    assert not list((images / "layers").glob("*/files"))
