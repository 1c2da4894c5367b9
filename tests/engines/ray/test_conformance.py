"""The conformance suite on a Ray cluster. By default the part of it that has to do with another machine; all of it by
`make test-ray`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clary.engines.ray.engine import RayEngine
from tests.engines.capability import sandbox_works
from tests.engines.conformance import EngineTestCase
from tests.engines.conformance_line import ROOM, LineTestCase
from tests.engines.ray.cluster import Cluster


class TestOnRay(EngineTestCase):
    many = 6
    resolves_names = sandbox_works()
    # A request for each: what it measures is the server that the tests fetch files from.
    test_a_channel_of_100_000_files = None  # type: ignore[assignment]

    @pytest.fixture
    def engine(self, shared_engine: RayEngine) -> Iterator[RayEngine]:
        """To connect costs seconds, so that tests share one; what a test leaves is released."""
        yield shared_engine
        for instance_id in shared_engine.instances():
            shared_engine.release(instance_id)

    @pytest.fixture
    def reopen(
        self, shared_engine: RayEngine, cluster: Cluster, open_engine: Callable[[Path, Cluster], RayEngine]
    ) -> Callable[[], RayEngine]:
        return lambda: open_engine(shared_engine.directory, cluster)


@pytest.mark.slow
class TestLineOnRay(LineTestCase):
    """An instance has its room until it is released, since its actor keeps its log: tests in which room comes by
    the mere end of others are not for this engine."""

    test_200_jobs_with_room_for_four = None  # type: ignore[assignment]
    test_the_large_is_not_starved_by_the_small = None  # type: ignore[assignment]
    test_start_of_who_waits_is_idempotent = None  # type: ignore[assignment]
    test_the_line_outlives_its_engine = None  # type: ignore[assignment]

    @pytest.fixture(scope="class")
    def small_cluster(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
        started = Cluster(tmp_path_factory.mktemp("small"), ROOM)
        try:
            yield started.up(1)
        finally:
            started.down()

    @pytest.fixture
    def small(self, reopen_small: Callable[[], RayEngine]) -> Iterator[RayEngine]:  # type: ignore[override]
        engine = reopen_small()
        yield engine
        for instance_id in engine.instances():
            engine.release(instance_id)

    @pytest.fixture
    def reopen_small(
        self, small_cluster: Cluster, tmp_path: Path, open_engine: Callable[[Path, Cluster], RayEngine]
    ) -> Callable[[], RayEngine]:
        return lambda: open_engine(tmp_path / "platform", small_cluster)
