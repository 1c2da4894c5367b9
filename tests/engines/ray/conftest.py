"""One cluster of three nodes for all tests of a process: to start it takes as long as all short tests together."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clary.engines.answers import EngineAway
from clary.engines.ray.engine import RayEngine
from tests.engines.instances import Watch
from tests.engines.ray.cluster import Cluster

NODES = 3
OPTIONS = {"sandbox": "auto"}
SHORT = (
    "test_runs_a_program_through_its_phases",
    "test_unknown_instances_are_key_errors",
    "test_a_gang_finds_each_other_by_name",
    "test_channels_are_writable_and_the_store_unharmed",
    "test_packs_outputs",
    "test_stop_lets_the_program_save",
    "test_release_kills_and_forgets",
)
"""Of the conformance suite: what has to do with another machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        of_suite = item.path == Path(__file__).with_name("test_conformance.py")
        if of_suite and item.name.partition("[")[0] not in SHORT:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("ray"))
    try:
        yield started.up(NODES)
    finally:
        started.down()


@pytest.fixture
def own_cluster(tmp_path: Path) -> Iterator[Cluster]:
    """One whose nodes a test may kill."""
    started = Cluster(tmp_path / "cluster")
    try:
        yield started
    finally:
        started.down()


@pytest.fixture(scope="session")
def shared_engine(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayEngine]:
    engine = connected(tmp_path_factory.mktemp("platform"), cluster)
    yield engine
    engine.close()


@pytest.fixture
def open_engine() -> Iterator[Callable[[Path, Cluster], RayEngine]]:
    engines = []

    def open_one(directory: Path, cluster: Cluster) -> RayEngine:
        engines.append(connected(directory, cluster))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.close()


def connected(directory: Path, cluster: Cluster) -> RayEngine:
    engine = RayEngine(directory, cluster.address, OPTIONS)

    def answers() -> bool:
        try:
            return bool(engine.places())
        except EngineAway:
            return False

    Watch(engine).until(answers, 60)
    return engine
