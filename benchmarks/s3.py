"""Small and large objects (P4): Clary's embedded store beside rclone, moto and SeaweedFS.

    python -m benchmarks.s3 [seconds]

Small objects go once through boto3 in eight threads, as programs do it, where boto3 itself is most of the cost; and
once as ready-made signed requests over eight connections, which shows the server. Large ones are ready-made bytes
over one connection. Every server gets the same bytes and an empty directory on the same disk.

The promises are not the same: Clary answers a PUT when body and catalogue have reached the disk (fsync), rclone and
SeaweedFS when the operating system has the bytes, moto keeps them in memory.
"""

import os
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from rich.console import Console
from rich.table import Table
from tests.platform import Platform
from tests.services.s3.seaweedfs import SeaweedFS

from benchmarks.load import measure
from benchmarks.peer import PYTHON, NoPeer
from benchmarks.signed import signed

THREADS = 8
SMALL = os.urandom(1000)
LARGE = os.urandom(100_000_000)
ROUNDS = 5
PUTS = 6_000
BUCKET = "benchmark"

Results = dict[str, float]


def client(url: str, access_key: str, secret_key: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, max_pool_connections=THREADS),
    )


@contextmanager
def clary(directory: Path) -> Iterator[Any]:
    platform = Platform(directory).up()
    try:
        yield client(platform.url, *platform.keys())
    finally:
        platform.down()


@contextmanager
def rclone(directory: Path) -> Iterator[Any]:
    port = _free_port()
    with _running("rclone", "serve", "s3", "--auth-key", "key,secret", "--addr", f"127.0.0.1:{port}", str(directory)):
        yield _ready(client(f"http://127.0.0.1:{port}", "key", "secret"))


@contextmanager
def moto(_directory: Path) -> Iterator[Any]:
    port = _free_port()
    with _running("moto_server", "-p", str(port)):
        yield _ready(client(f"http://127.0.0.1:{port}", "key", "secret"))


@contextmanager
def seaweedfs(directory: Path) -> Iterator[Any]:
    _program("weed")
    service = SeaweedFS(directory).up()
    try:
        yield _ready(client(service.url, service.access_key, service.secret_key))
    finally:
        service.down()


SERVERS: dict[str, Callable[[Path], Any]] = {
    "Clary": clary,
    "rclone": rclone,
    "moto": moto,
    "SeaweedFS": seaweedfs,
}
PROMISES = {"Clary": "on disk", "rclone": "page cache", "moto": "memory", "SeaweedFS": "page cache"}


def measure_server(s3: Any, seconds: float) -> Results:
    s3.create_bucket(Bucket=BUCKET)
    port = int(s3.meta.endpoint_url.rpartition(":")[2])
    s3.put_object(Bucket=BUCKET, Key="small", Body=SMALL)
    puts = [signed(s3, "put_object", Bucket=BUCKET, Key=f"raw/{number}", Body=SMALL) for number in range(PUTS)]
    get = signed(s3, "get_object", Bucket=BUCKET, Key="small")
    return {
        "1 KB PUT /s, boto3": _threads(s3, seconds, _put_one),
        "1 KB GET /s, boto3": _threads(s3, seconds, _get_one),
        "1 KB PUT /s, ready-made": _rate(port, puts, seconds),
        "1 KB GET /s, ready-made": _rate(port, get, seconds),
        "100 MB PUT MB/s": _throughput(port, signed(s3, "put_object", Bucket=BUCKET, Key="large", Body=LARGE)),
        "100 MB GET MB/s": _throughput(port, signed(s3, "get_object", Bucket=BUCKET, Key="large")),
    }


def _put_one(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=secrets.token_hex(8), Body=SMALL)


def _get_one(s3: Any) -> None:
    s3.get_object(Bucket=BUCKET, Key="small")["Body"].read()


def _threads(s3: Any, seconds: float, call: Callable[[Any], None]) -> float:
    """Calls a second of eight threads."""
    end = time.perf_counter() + seconds

    def work(_: int) -> int:
        count = 0
        while time.perf_counter() < end:
            call(s3)
            count += 1
        return count

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS))) / seconds


def _rate(port: int, requests: bytes | list[bytes], seconds: float) -> float:
    load = measure(port, requests, THREADS, seconds)
    if load.refused:
        raise NoPeer(f"{load.refused} requests were refused")
    return load.rate


def _throughput(port: int, request: bytes) -> float:
    """MB/s of one exchange that moves the large object, the median of several."""
    return statistics.median(_exchange(port, request) for _ in range(ROUNDS))


def _exchange(port: int, request: bytes) -> float:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        began = time.perf_counter()
        connection.sendall(request)
        answer = HTTPResponse(connection)
        answer.begin()
        received = 0
        buffer = bytearray(1 << 20)
        while count := answer.readinto(buffer):
            received += count
        if answer.status != 200:
            raise NoPeer(f"answered {answer.status}")
        return max(received, len(request)) / 1e6 / (time.perf_counter() - began)


def _program(name: str) -> str:
    program = PYTHON.parent / name
    if not program.exists():
        raise NoPeer("not installed: make bench-environment")
    return str(program)


@contextmanager
def _running(name: str, *arguments: str) -> Iterator[None]:
    process = subprocess.Popen(
        [_program(name), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def _ready(s3: Any) -> Any:
    """The client, once the server answers it."""
    for _ in range(100):
        try:
            s3.list_buckets()
        except Exception:
            time.sleep(0.1)
        else:
            return s3
    raise NoPeer("did not start")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(seconds: float) -> None:
    results: dict[str, Results] = {}
    title = "S3: objects a second, and MB a second"
    for name, server in SERVERS.items():
        directory = Path(tempfile.mkdtemp())
        try:
            with server(directory) as s3:
                results[name] = measure_server(s3, seconds)
        except NoPeer as why:
            title += f"\n{name}: {why}"
        finally:
            shutil.rmtree(directory)
    table = Table("", *results, "Clary / best other", title=title)
    for row in results["Clary"]:
        rates = {name: measured[row] for name, measured in results.items()}
        others = [rate for name, rate in rates.items() if name != "Clary"]
        ratio = f"{rates['Clary'] / max(others):.2f}" if others else ""
        table.add_row(row, *(f"{rate:,.0f}" for rate in rates.values()), ratio)
    table.add_row("a PUT is answered when", *(PROMISES[name] for name in results), "")
    Console().print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
