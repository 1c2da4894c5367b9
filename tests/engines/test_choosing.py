from pathlib import Path

import pytest

from clary.engines.choosing import UnknownEngine, open_engine
from clary.engines.process import ProcessEngine
from clary.settings import Settings
from tests.engines.remote import RemoteProcessEngine


def test_the_default_is_this_machine(tmp_path: Path) -> None:
    assert type(open_engine(Settings(state=tmp_path))) is ProcessEngine


def test_an_engine_of_ones_own(tmp_path: Path) -> None:
    engine = open_engine(Settings(state=tmp_path, engine="tests.engines.remote:open_remote"))
    assert isinstance(engine, RemoteProcessEngine)


@pytest.mark.parametrize("name", ["nomad", "nomad://host:4646", "no.such.module:make", "tests.engines.remote:absent"])
def test_what_is_no_engine_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnknownEngine, match=name):
        open_engine(Settings(state=tmp_path, engine=name))


def test_a_cluster_needs_ray(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clary.engines.choosing.find_spec", lambda _name: None)
    with pytest.raises(UnknownEngine, match=r"pip install 'clary\[ray\]'"):
        open_engine(Settings(state=tmp_path, engine="ray://head:10001"))
