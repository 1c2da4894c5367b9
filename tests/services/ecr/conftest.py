"""A repository of the shared platform."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.platform import Platform

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def ecr(platform: Platform) -> Any:
    return platform.client("ecr")


@pytest.fixture
def repository(ecr: Any) -> Iterator[str]:
    name = f"models/scorer-{next(NUMBERS)}"
    ecr.create_repository(repositoryName=name)
    yield name
    ecr.delete_repository(repositoryName=name, force=True)
