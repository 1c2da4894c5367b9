"""What the SageMaker SDK declares of built-in algorithms is known here: every registry, and every hyperparameter."""

import json
from pathlib import Path
from typing import Any

import pytest

from clary.algorithms.__main__ import find
from clary.images.algorithms import ALGORITHMS
from clary.images.table import find_image, find_recipe
from tests.clients.programs import client_program, run
from tests.platform import Platform

PROGRAM = Path(__file__).parent / "programs" / "declarations.py"
NAMES = [algorithm.name for algorithm in ALGORITHMS]

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def declared(platform: Platform) -> dict[str, Any]:
    command = [client_program("v2", "python"), str(PROGRAM), *NAMES]
    found: dict[str, Any] = json.loads(run(command, platform.program_environment(), PROGRAM.parent).splitlines()[-1])
    return found


@pytest.mark.parametrize("name", NAMES)
def test_the_images_of_all_regions_are_one(declared: dict[str, Any], name: str) -> None:
    uris = declared["images"][name]
    assert len(uris) >= 14
    assert {find_image(uri).repository for uri in uris} == {name}
    assert all(find_recipe(uri) == find_recipe(uris[0]) for uri in uris)


def test_the_hyperparameters_of_its_classes_are_taken(declared: dict[str, Any]) -> None:
    assert len(declared["hyperparameters"]) == 10
    for name, taken in declared["hyperparameters"].items():
        known = {parameter.name for parameter in find(name).hyperparameters}
        assert set(taken) <= known, name
