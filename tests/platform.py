"""A whole Clary as its users run it: `clary up` as a process of its own, on a free port and its own state."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from clary.engines.process import ProcessEngine

START_TIMEOUT = 30.0


class Platform:
    def __init__(self, state: Path, *options: str) -> None:
        self.state = state
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> "Platform":
        """Start it and return when it listens."""
        self.state.mkdir(parents=True, exist_ok=True)
        announcement = self.state / "platform.json"
        announcement.unlink(missing_ok=True)
        with (self.state / "platform.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "clary.cli",
                    "up",
                    "--state",
                    str(self.state),
                    "--port",
                    "0",
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Those of tests are nobody else's.
                env={"CLARY_IMAGES": str(self.state.parent / "images"), **os.environ},
            )
        deadline = time.monotonic() + START_TIMEOUT
        while not announcement.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("clary up failed:\n" + (self.state / "platform.log").read_text()[-4000:])
            time.sleep(0.02)
        return self

    @property
    def url(self) -> str:
        url: str = json.loads((self.state / "platform.json").read_text())["url"]
        return url

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`, as bad luck does it."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def down(self) -> None:
        """End it and every instance that it started."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(timeout=15)
        engine = ProcessEngine(self.state / "instances", self.state / "layers")
        for instance_id in engine.instances():
            engine.release(instance_id)

    def environment(self) -> dict[str, str]:
        """What `clary env` exports, for a client program."""
        printed = subprocess.run(
            [sys.executable, "-m", "clary.cli", "env", "--state", str(self.state), "--shell", "json"],
            check=True,
            capture_output=True,
            text=True,
        )
        exports: dict[str, str] = json.loads(printed.stdout)
        return exports

    def program_environment(self) -> dict[str, str]:
        """A clean environment for a client program: no AWS settings but Clary's."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**clean, **self.environment()}

    def client(self, service: str, region: str = "us-east-1", **config: Any) -> Any:
        access_key, secret_key = self.keys()
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    def keys(self) -> tuple[str, str]:
        lines = (self.state / "credentials").read_text().splitlines()
        values = dict(line.split(" = ", 1) for line in lines if " = " in line)
        return values["aws_access_key_id"], values["aws_secret_access_key"]
