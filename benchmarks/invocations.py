"""Calls to the abalone XGBoost model (P2): Clary's endpoint beside the model server itself and others.

    python -m benchmarks.invocations [seconds of a turn]          CLARY_GATEWAYS=2 for gateways beside the platform

Clary trains and deploys the model with its built-in XGBoost. Calls to the endpoint are signed, each signature used
again within the minutes that it holds. `model server` is the same server process, called on its Unix socket: what
is left of its rate is what authentication, routing and the second hop cost. The others serve the same model file over
HTTP, unsigned. All have one replica with one worker. Small bodies are one row of CSV, large ones 1 MB of rows.

The model server and the endpoint take turns, so that a machine that has other things to do slows both: ratio and added
milliseconds are the medians of those of each pair of turns.
"""

import csv
import http.client
import io
import json
import os
import socket
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import xgboost
from rich.console import Console
from rich.table import Table
from tests.platform import Platform

from benchmarks.load import Load, Target, measure
from benchmarks.peer import NoPeer, serving
from benchmarks.signed import signed

GOAL = 0.8
CONNECTIONS = {"small": (1, 8, 32, 128), "large": (1, 8)}
LONGER = {"small": 1.0, "large": 4.0}
"""How much longer a turn takes: one round of large bodies over all connections takes seconds."""
TURNS = 5
PEERS = {"Ray Serve": "ray_serve", "LitServe": "lit_serve", "BentoML": "bento_ml", "MLServer": "ml_server"}
NAME, BUCKET = "abalone", "benchmark"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
DATA = Path(__file__).parents[1] / "examples" / "data" / "abalone.csv"
SEXES = {"I": "0", "F": "1", "M": "2"}
ROW = "1,0.53,0.42,0.135,0.677,0.2565,0.1415,0.21"
BODIES = {"small": ROW, "large": "\n".join([ROW] * (1_000_000 // (len(ROW) + 1)))}


def train(platform: Platform) -> str:
    """Where the model is, as an S3 URI."""
    s3, sagemaker = platform.client("s3"), platform.client("sagemaker")
    with DATA.open() as lines:
        rows = [",".join([rings, SEXES[sex], *measures]) for sex, *measures, rings in csv.reader(lines)]
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="train/abalone.csv", Body="\n".join(rows).encode())
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/train/"}
    sagemaker.create_training_job(
        TrainingJobName=NAME,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        HyperParameters={"num_round": "60", "max_depth": "4", "eta": "0.1", "objective": "reg:squarederror"},
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    described = sagemaker.describe_training_job(TrainingJobName=NAME)
    return str(described["ModelArtifacts"]["S3ModelArtifacts"])


def deploy(platform: Platform, artifacts: str) -> None:
    sagemaker = platform.client("sagemaker")
    container = {
        "Image": IMAGE,
        "ModelDataUrl": artifacts,
        "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
    }
    sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def save_model(platform: Platform, artifacts: str, path: Path) -> None:
    """The trained model alone, as the other servers load it."""
    bucket, _, key = artifacts.removeprefix("s3://").partition("/")
    packed = platform.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        [member] = [member for member in archive.getmembers() if member.isfile()]
        file = archive.extractfile(member)
        assert file is not None
        booster = xgboost.Booster()
        booster.load_model(bytearray(file.read()))
    booster.save_model(path)


def model_server_socket(state: Path) -> str:
    """Of the one replica beneath the platform's state."""
    [path] = state.glob("instances/*/run/server.sock")
    return str(path)


def plain(path: str, content_type: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def v2(body: str) -> dict[str, Any]:
    """A request of the V2 inference protocol."""
    return {"inputs": [{"name": "rows", "shape": [1], "datatype": "BYTES", "data": [body]}]}


@dataclass(frozen=True)
class Server:
    target: Target
    requests: dict[str, bytes]
    """By the size of their bodies."""


@dataclass(frozen=True)
class Measured:
    load: Load
    """Of the median turn."""
    ratio: float | None = None
    """To the model server's rate."""
    added: float = 0.0
    """Milliseconds, at the median call."""


Row = tuple[str, int]
"""Size of the bodies, and connections."""


def ask(server: Server) -> float:
    """The prediction, so that a server that answers fast but wrong is found out. Waits for a server to listen."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return _ask(server.target, server.requests["small"])
        except (ConnectionError, FileNotFoundError, NoPeer):  # not yet
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _ask(target: Target, request: bytes) -> float:
    family = socket.AF_INET if isinstance(target, int) else socket.AF_UNIX
    with socket.socket(family) as connection:
        connection.connect(("127.0.0.1", target) if isinstance(target, int) else target)
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read().decode()
        if answer.status != 200:
            raise NoPeer(f"answered {answer.status}: {body[:80]}")
        if body.startswith("{"):
            return float(json.loads(body)["outputs"][0]["data"][0])
        return float(body.strip().strip('"'))


def turn(server: Server, row: Row, seconds: float) -> Load:
    size, connections = row
    load = measure(server.target, server.requests[size], connections, seconds * LONGER[size])
    if load.refused:
        raise NoPeer(f"refused {load.refused} calls under load")
    return load


def rows() -> list[Row]:
    return [(size, connections) for size in BODIES for connections in CONNECTIONS[size]]


def beside(direct: Server, endpoint: Server, seconds: float) -> tuple[dict[Row, Measured], dict[Row, Measured]]:
    """What the model server and the endpoint measured, in pairs of turns."""
    bases: dict[Row, Measured] = {}
    found: dict[Row, Measured] = {}
    for row in rows():
        pairs = [(turn(direct, row, seconds), turn(endpoint, row, seconds)) for _ in range(TURNS)]
        own = sorted((load for _, load in pairs), key=lambda load: load.rate)
        bases[row] = Measured(sorted((base for base, _ in pairs), key=lambda load: load.rate)[TURNS // 2])
        found[row] = Measured(
            own[TURNS // 2],
            ratio=median(load.rate / base.rate for base, load in pairs),
            added=median((load.p50 - base.p50) * 1e3 for base, load in pairs),
        )
    return bases, found


def expect(server: Server, expected: float) -> None:
    predicted = ask(server)
    if abs(predicted - expected) > 1e-3:
        raise NoPeer(f"predicted {predicted}, not {expected}")


def measure_clary(state: Path, model: Path, seconds: float) -> tuple[float, dict[Row, Measured], dict[Row, Measured]]:
    """The prediction, and what the model server and the endpoint measured; leaves the model in a file."""
    platform = Platform(state).up()
    try:
        artifacts = train(platform)
        save_model(platform, artifacts, model)
        deploy(platform, artifacts)
        bodies = BODIES.items()
        direct = Server(
            model_server_socket(state), {size: plain("/invocations", "text/csv", body) for size, body in bodies}
        )
        runtime = platform.client("sagemaker-runtime")

        def invoke(body: str) -> bytes:
            return signed(runtime, "invoke_endpoint", EndpointName=NAME, ContentType="text/csv", Body=body.encode())

        endpoint = Server(int(platform.url.rpartition(":")[2]), {size: invoke(body) for size, body in bodies})
        expected = ask(direct)
        expect(endpoint, expected)
        return expected, *beside(direct, endpoint, seconds)
    finally:
        platform.down()


def measure_peer(name: str, model: Path, expected: float, seconds: float) -> dict[Row, Measured]:
    make = {
        "ray_serve": lambda body: plain("/", "text/csv", body),
        "lit_serve": lambda body: plain("/predict", "application/json", json.dumps(body)),
        "bento_ml": lambda body: plain("/predict", "application/json", json.dumps({"rows": body})),
        "ml_server": lambda body: plain("/v2/models/abalone/infer", "application/json", json.dumps(v2(body))),
    }[name]
    with serving(name, str(model)) as port:
        server = Server(port, {size: make(body) for size, body in BODIES.items()})
        expect(server, expected)
        return {row: Measured(turn(server, row, seconds)) for row in rows()}


def add_rows(table: Table, name: str, found: dict[Row, Measured], bases: dict[Row, Measured]) -> None:
    for row, measured in found.items():
        load = measured.load
        ratio = measured.ratio or load.rate / bases[row].load.rate
        added = f"{measured.added:.2f}" if measured.ratio else ""
        times = f"{load.p50 * 1e3:.2f}", f"{load.p99 * 1e3:.2f}"
        table.add_row(name, row[0], str(row[1]), f"{load.rate:,.0f}", *times, f"{ratio:.2f}", added)


def main(seconds: float) -> None:
    gateways = os.environ.get("CLARY_GATEWAYS", "auto")
    table = Table("", "bodies", "connections", "req/s", "p50 ms", "p99 ms", f"ratio (goal {GOAL})", "added ms")
    table.title = f"Calls to the abalone model; ratio to the model server; gateways: {gateways}"
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory, "model.json")
        expected, direct, endpoint = measure_clary(Path(directory, "state"), model, seconds)
        add_rows(table, "model server", direct, direct)
        add_rows(table, "Clary endpoint", endpoint, direct)
        for title, name in PEERS.items():
            try:
                add_rows(table, title, measure_peer(name, model, expected, seconds), direct)
            except (NoPeer, ConnectionError) as why:
                table.add_row(title, str(why))
    Console(width=120).print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.5)
