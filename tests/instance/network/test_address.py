import os
import socket
from pathlib import Path

import pytest

from clary.instance.network.address import host_and_port, socket_path


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def test_what_was_looked_at_is_what_is_connected_to(tmp_path: Path) -> None:
    """A program may put a link in the place of its socket at any moment."""
    place = tmp_path / "server.sock"
    with listening(place) as own, listening(tmp_path / "host.sock"), socket.socket(socket.AF_UNIX) as client:
        own.settimeout(5)
        with socket_path(f"unix:{place}") as path:
            (tmp_path / "link").symlink_to(tmp_path / "host.sock")
            os.replace(tmp_path / "link", place)
            assert path is not None
            client.connect(path)
        own.accept()[0].close()


@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
def test_only_a_socket_is_one(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "server.sock")
    with pytest.raises(ConnectionRefusedError), socket_path(f"unix:{tmp_path / 'server.sock'}"):
        pass


@pytest.mark.parametrize(
    ("address", "found"),
    [("10.0.0.5:8080", ("10.0.0.5", 8080)), ("node:1", ("node", 1)), ("[fd00::5]:8080", ("fd00::5", 8080))],
)
def test_host_and_port(address: str, found: tuple[str, int]) -> None:
    assert host_and_port(address) == found
