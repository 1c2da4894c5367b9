"""A container's `/opt/ml` in a temporary directory, and the programs of an image run in it as processes."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.environments import clary_alone, python_of

LATEST = "sagemaker-xgboost:latest"
RESOURCES = {
    "current_host": "algo-1",
    "hosts": ["algo-1"],
    "current_instance_type": "ml.m5.large",
    "current_group_name": "homogeneousCluster",
    "instance_groups": [
        {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": ["algo-1"]}
    ],
    "network_interface_name": "eth0",
}


class Container:
    def __init__(self, root: Path, python: str = "") -> None:
        """`python` is that of an image's environment."""
        self.root = root
        self.python = python or python_of(LATEST)
        for directory in ("input/config", "input/data", "code", "model", "output/data"):
            (root / directory).mkdir(parents=True)
        self.configure("hyperparameters", {})
        self.configure("inputdataconfig", {})
        self.configure("resourceconfig", RESOURCES)

    def configure(self, name: str, content: object) -> None:
        (self.root / "input/config" / f"{name}.json").write_text(json.dumps(content))

    def code(self, name: str, text: str) -> None:
        (self.root / "code" / name).write_text(text)

    @property
    def failure(self) -> str | None:
        path = self.root / "output/failure"
        return path.read_text() if path.exists() else None

    def environment(self, **more: str) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return inherited | {"SAGEMAKER_BASE_DIR": str(self.root), "PYTHONPATH": clary_alone()} | more

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.python, "-m", *arguments],
            cwd=self.root,
            env=self.environment(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run a module to its end: exit status and output."""
        process = self.start(*arguments, **environment)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    @contextmanager
    def serve(self, *arguments: str, **environment: str) -> Iterator["ModelServer"]:
        """A model server on a Unix socket, ready to answer; stopped in the end."""
        path = str(self.root / "server.sock")
        process = self.start(*arguments, CLARY_BIND=f"unix:{path}", **environment)
        server = ModelServer(process, path)
        try:
            server.wait_until_ready()
            yield server
        finally:
            process.terminate()
            server.output, _ = process.communicate(timeout=30)


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class ModelServer:
    def __init__(self, process: subprocess.Popen[str], path: str) -> None:
        self.process = process
        self.path = path
        self.output = ""
        """All that the server printed; known once it has ended."""

    def connect(self) -> UnixConnection:
        return UnixConnection(self.path)

    def ping(self) -> int:
        """Status of a health check; 0 while nobody listens yet."""
        try:
            return self.request("GET", "/ping")[0]
        except (FileNotFoundError, ConnectionRefusedError):
            return 0

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while self.ping() != 200:
            assert self.process.poll() is None, self.process.communicate()[0]
            assert time.monotonic() < deadline, "the model server did not get ready"
            # Nothing announces readiness but /ping itself: ask again when the process ends, or soon.
            select.select([self.process.stdout], [], [], 0.02)

    def request(self, method: str, target: str, body: bytes | str = b"", **headers: str) -> tuple[int, str, bytes]:
        """Status, content type and body. Header names are given with `_` for `-`."""
        connection = self.connect()
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, target, body, named)
            response = connection.getresponse()
            return response.status, response.headers.get("content-type", ""), response.read()
        finally:
            connection.close()

    def invoke(self, body: bytes | str, content_type: str = "text/csv", accept: str = "*/*") -> tuple[int, str, bytes]:
        return self.request("POST", "/invocations", body, content_type=content_type, accept=accept)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)
