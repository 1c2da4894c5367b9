"""Starting and ending a real platform."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Clary


@pytest.fixture
def detached(clary: Clary) -> Iterator[Clary]:
    """A platform of the test's own, detached."""
    started = clary("up", "--detach")
    assert started.returncode == 0, started.stderr
    assert "is up at http://127.0.0.1:" in started.stdout
    yield clary
    clary("down")


def pid(clary: Clary) -> int:
    number = json.loads(clary("status", "--json").stdout)["pid"]
    assert isinstance(number, int)
    return number


def test_detached_until_down(detached: Clary) -> None:
    os.kill(pid(detached), 0)
    assert detached.state.stat().st_mode & 0o777 == 0o700
    assert (detached.state / "credentials").stat().st_mode & 0o777 == 0o600
    ended = detached("down")
    assert ended.returncode == 0
    assert "the next start finds them again" in ended.stdout
    status = detached("status", "--json")
    assert status.returncode == 1
    assert json.loads(status.stdout) == {"up": False, "state": str(detached.state)}
    assert detached("down").returncode == 1


def test_the_option_wins_over_the_variable(running: Clary) -> None:
    status = running("status", "--state", str(running.state), CLARY_STATE="/nonexistent")
    assert "is up" in status.stdout


@pytest.mark.parametrize("mode", [["--detach"], []])
def test_a_second_one_is_refused(running: Clary, mode: list[str]) -> None:
    refused = running("up", *mode)
    assert refused.returncode == 1
    first = json.loads((running.state / "platform.json").read_text())
    assert f"{first['url']}, process {first['pid']}" in refused.stderr
    assert "clary down" in refused.stderr


def test_a_killed_one_is_no_obstacle(detached: Clary) -> None:
    killed = pid(detached)
    os.kill(killed, signal.SIGKILL)
    assert (detached.state / "platform.json").exists()
    again = detached("up", "--detach", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["pid"] == pid(detached) != killed


def test_a_start_that_fails_shows_why(clary: Clary) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for mode in (["--detach"], []):
            failed = clary("up", *mode, "--port", port)
            assert failed.returncode == 1
            assert f"Cannot listen on 127.0.0.1:{port}: " in failed.stderr
            assert "--port 0 takes any free port" in failed.stderr
            assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_until_a_signal(clary: Clary, number: signal.Signals) -> None:
    with clary.start("up", "--json") as process:
        assert process.stdout is not None
        report = json.loads(process.stdout.readline())
        assert report["pid"] == process.pid
        assert report["state"] == str(clary.state)
        assert 0 < report["seconds"] < 30
        process.send_signal(number)
        assert process.wait(timeout=30) == 0
    assert clary("status").returncode == 1


def test_options_reach_the_platform(clary: Clary) -> None:
    database = clary.state.parent / "elsewhere.db"
    try:
        started = clary("up", "--detach", "--sandbox", "off", "--database", f"sqlite:///{database}")
        assert started.returncode == 0, started.stderr
        assert database.exists()
        assert not (clary.state / "clary.db").exists()
    finally:
        clary("down")


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("nomad", "There is no engine 'nomad'"),
        ("docker+unix:///no/such.sock", "No container runtime answers at unix:///no/such.sock"),
        ("tests.engines.remote:open_remote", "say by --advertise URL"),
    ],
)
def test_an_engine_that_is_none_or_reaches_nobody_is_refused(clary: Clary, engine: str, said: str) -> None:
    failed = clary("up", "--engine", engine, PYTHONPATH=str(Path(__file__).parents[2]))
    assert failed.returncode == 1
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr


def test_keys_that_cannot_be_read_are_said(clary: Clary) -> None:
    clary.state.mkdir()
    (clary.state / "credentials").write_text("no keys here\n")
    failed = clary("up")
    assert failed.returncode == 1
    assert str(clary.state / "credentials") in failed.stderr
    assert "Traceback" not in failed.stderr


def test_a_database_that_cannot_be_used_is_said(clary: Clary) -> None:
    ended = clary("up", "--port", "0", "--database", "postgres://x/y")
    assert ended.returncode != 0
    assert "The database cannot be used" in ended.stderr
    assert "Traceback" not in ended.stderr
