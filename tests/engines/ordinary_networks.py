"""A program of `test_networks`: what a user without rights gets of networks of the instances' own. In a directory of
that user's."""

import socket
import sys
from pathlib import Path

from clary.engines.machine import find_bwrap, probe
from clary.engines.networks import NoNetworkError, build
from clary.engines.process import ProcessEngine
from tests.engines.instances import Watch, program, texts

SERVER = """
import socket
server = socket.create_server(("0.0.0.0", 8080))
print("listening", flush=True)
while True:
    server.accept()[0].sendall(b"served")
"""
MEMBER = """
import socket
server = socket.create_server(("0.0.0.0", 7777))
for name in ("algo-1", "algo-2"):
    while True:
        try:
            socket.create_connection((name, 7777), 5).close()
            break
        except ConnectionRefusedError:
            time.sleep(0.05)
socket.create_connection(("127.0.0.1", {door}), 5).close()
print([name for _, name in socket.if_nameindex()])
time.sleep(60)
"""
MEDDLE = """
import fcntl, socket, struct
down = struct.pack("16sH14x", b"eth0", 0)
for meddle in (
    lambda: fcntl.ioctl(socket.socket(), 0x8914, down),
    lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
):
    try:
        print(meddle())
    except OSError as error:
        print(type(error).__name__)
"""
"""Takes its interface down, and sends what no rule sees."""


def main() -> None:
    here = Path.cwd()
    try:
        build(["algo-1"], outward=True)
    except NoNetworkError as error:
        sys.exit(f"skip: {error}")
    if probe(find_bwrap(), str(here))[0] == "none":
        sys.exit("skip: no sandbox")
    with socket.create_server(("127.0.0.1", 0)) as platform:
        door = platform.getsockname()[1]
        engine = ProcessEngine(
            here / "instances", here / "layers", "require", urls=lambda: [f"http://127.0.0.1:{door}"]
        )
        serve(engine)
        train(engine, door)
        meddle(here)


def serve(engine: ProcessEngine) -> None:
    spec = program(SERVER, serves=True, port=8080)
    engine.start([spec])
    Watch(engine).printed(spec, "listening")
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(engine.address(spec.id).removeprefix("unix:"))
        print(client.recv(6).decode())
    engine.release(spec.id)


def train(engine: ProcessEngine, door: int) -> None:
    gang = [program(MEMBER.format(door=door), hostname=f"algo-{number}") for number in (1, 2)]
    engine.start(gang)
    for spec in gang:
        Watch(engine).printed(spec, "['lo', 'eth0']")
        print("connected")
    for spec in gang:
        engine.release(spec.id)


def meddle(here: Path) -> None:
    engine = ProcessEngine(here / "instances", here / "layers", "require", network="own")
    spec = program(MEDDLE)
    Watch(engine).run(spec)
    print(*texts(engine, spec)[-3:])
    engine.release(spec.id)


if __name__ == "__main__":
    main()
