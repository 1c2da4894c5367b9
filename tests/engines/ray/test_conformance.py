"""The conformance suite on a Ray cluster. By default the part of it that has to do with another machine; all of it by
`make test-ray`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clary.engines.ray.engine import RayEngine
from tests.engines.capability import sandbox_works
from tests.engines.conformance import EngineTestCase
from tests.engines.ray.cluster import Cluster


class TestOnRay(EngineTestCase):
    many = 6
    resolves_names = sandbox_works()

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
