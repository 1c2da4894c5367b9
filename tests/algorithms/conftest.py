from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.algorithms.cases.case import Case
from tests.algorithms.forge import Forge
from tests.environments import python_of
from tests.toolkits.container import Container

FindForge = Callable[[str], Forge]
Train = Callable[[Case], list[Path]]


@pytest.fixture
def container(tmp_path: Path) -> Container:
    return Container(tmp_path / "ml")


@pytest.fixture(scope="session")
def forge_of() -> Iterator[FindForge]:
    """By algorithm: those of one environment share one."""
    opened: dict[str, Forge] = {}

    def find(algorithm: str) -> Forge:
        python = python_of(f"{algorithm}:1")
        if python not in opened:
            opened[python] = Forge(python)
        return opened[python]

    yield find
    for forge in opened.values():
        forge.close()


@pytest.fixture(scope="session")
def trained(forge_of: FindForge, tmp_path_factory: pytest.TempPathFactory) -> Train:
    """By case, the /opt/ml of two jobs on different data, each with its model."""

    @cache
    def train(case: Case) -> list[Path]:
        roots = [tmp_path_factory.mktemp(case.name) / "ml" for _ in range(2)]
        for seed, root in enumerate(roots):
            case.job(seed).write(root)
        for ended in forge_of(case.name).train(case.name, roots):
            assert ended.status == 0, ended.output
        return roots

    return train
