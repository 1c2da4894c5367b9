"""A container runtime for tests: Debian's Podman as a service of its own, with its own store, where it can run.

The machine's own daemon is never touched. Where Podman is not installed, or cannot run a container here, tests say why
and are skipped.
"""

import functools
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.oci_images import build, layer, python_layer

IMAGE = "localhost/clary-test:1"
"""This machine's Python, as /usr/bin/python3."""
START = 20.0


class Podman:
    def __init__(self, directory: Path) -> None:
        self.address = f"unix://{directory}/podman.sock"
        self._directory = directory
        self._service: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "CONTAINERS_CONF": _write(directory / "containers.conf", _configuration(directory)),
            "CONTAINERS_STORAGE_CONF": _write(directory / "storage.conf", _storage(directory)),
        }

    def up(self) -> "Podman":
        socket = self._directory / "podman.sock"
        socket.unlink(missing_ok=True)
        with open(self._directory / "service.log", "ab") as log:
            self._service = subprocess.Popen(
                ["podman", "system", "service", "--time=0", self.address],
                env=self._environment,
                # Where the processes that watch containers leave what they have to tell.
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START
        while not socket.exists():
            assert self._service.poll() is None, (self._directory / "service.log").read_text()[-2000:]
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return self

    def down(self) -> None:
        assert self._service is not None
        self.run("rm", "--all", "--force", "--time=0", check=False)
        self._service.send_signal(signal.SIGTERM)
        self._service.wait(10)

    def kill(self) -> None:
        """The service alone; its containers stay. `up` starts it again."""
        assert self._service is not None
        self._service.kill()
        self._service.wait(10)

    def run(self, *words: str, check: bool = True) -> str:
        ended = subprocess.run(
            ["podman", *words],
            env=self._environment,
            cwd=self._directory,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert not (check and ended.returncode), ended.stderr
        return ended.stdout if not ended.returncode else ended.stderr

    def containers(self) -> list[str]:
        return self.run("ps", "--all", "--format", "{{.Names}}").split()


@contextmanager
def podman() -> Iterator[Podman]:
    """A running service whose store holds `IMAGE`. Skips the test where that cannot be had."""
    if not shutil.which("podman"):
        pytest.skip("podman is not installed")
    # A short path: the address of a Unix socket holds 107 bytes.
    with tempfile.TemporaryDirectory(prefix="podman-", ignore_cleanup_errors=True) as directory:
        service = Podman(Path(directory)).up()
        try:
            service.run("load", "--input", str(_image_archive()))
            refused = service.run("run", "--rm", "--network=none", IMAGE, "-c", "pass", check=False).strip()
            if refused:
                pytest.skip(f"podman runs no container on this machine: {refused[-300:]}")
            yield service
        finally:
            service.down()
            service.run("system", "reset", "--force", check=False)


@functools.cache
def _image_archive() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="clary-image-"))
    built = build(
        directory / "image",
        [python_layer(), layer({"bin/true": Path("/bin/true").read_bytes()})],
        compression="",
        Entrypoint=["/usr/bin/python3"],
        WorkingDir="/opt/ml",
    )
    subprocess.run(
        [
            "skopeo",
            "copy",
            "--insecure-policy",
            f"oci:{built.directory}",
            f"docker-archive:{directory}/image.tar:{IMAGE}",
        ],
        check=True,
        capture_output=True,
    )
    return directory / "image.tar"


def _configuration(directory: Path) -> str:
    files, processes = (resource.getrlimit(kind)[1] for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    # No higher than this process may go itself: a container inside of a machine may have bounds of its own.
    bounds = [
        f"{name}={least}:{least}" for name, least in (("nofile", min(files, 20000)), ("nproc", min(processes, 20000)))
    ]
    runtime = "runc" if shutil.which("runc") else "crun"
    # What Podman knows of running containers lies in `tmp_dir`, also their exit codes. `podman system reset` takes it
    # from all that share it: they believe then that the machine was started anew, and forget what runs.
    return (
        f'[containers]\ndefault_ulimits = ["{bounds[0]}", "{bounds[1]}"]\n'
        f'[engine]\ntmp_dir = "{directory}/tmp"\nruntime = "{runtime}"\n'
        'cgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
    )


def _storage(directory: Path) -> str:
    return f'[storage]\ndriver = "overlay"\ngraphroot = "{directory}/root"\nrunroot = "{directory}/run"\n'


def _write(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)
