"""One CSV row a call to the abalone XGBoost model (P2): Clary's endpoint beside the model server itself and others.

    python -m benchmarks.invocations [seconds]

Clary trains and deploys the model with its built-in XGBoost. Calls to the endpoint are signed, each signature used
again within the minutes that it holds. `model server` is the same server process, called on its Unix socket: what
is left of its rate is what authentication, routing and the second hop cost. Ray Serve and LitServe serve the same
model file over HTTP, unsigned. All have one replica with one worker.
"""

import csv
import http.client
import io
import socket
import sys
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import xgboost
from rich.console import Console
from rich.table import Table
from tests.platform import Platform

from benchmarks.load import Load, Target, measure
from benchmarks.peer import NoPeer, serving
from benchmarks.signed import signed

GOAL = 0.8
CONNECTIONS = (1, 32)
TURNS = 5
NAME, BUCKET = "abalone", "benchmark"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
DATA = Path(__file__).parents[1] / "examples" / "data" / "abalone.csv"
SEXES = {"I": "0", "F": "1", "M": "2"}
ROW = "1,0.53,0.42,0.135,0.677,0.2565,0.1415,0.21"


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
    """The one Unix socket beneath the platform's state."""
    [path] = [path for path in state.rglob("*") if path.is_socket()]
    return str(path)


def plain(path: str, content_type: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {content_type}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


@dataclass(frozen=True)
class Server:
    target: Target
    request: bytes


def ask(server: Server) -> float:
    """The prediction, so that a server that answers fast but wrong is found out. Waits for a server to listen."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return _ask(server.target, server.request)
        except (ConnectionError, FileNotFoundError):
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
        return float(body.strip().strip('"'))


def load(servers: list[Server], expected: float, seconds: float) -> list[list[Load]]:
    """For each server its loads by `CONNECTIONS`. The servers take turns, so that a machine that has other things
    to do slows all of them; each one's load is that of its median turn."""
    for server in servers:
        predicted = ask(server)
        if abs(predicted - expected) > 1e-3:
            raise NoPeer(f"predicted {predicted}, not {expected}")
    rounds = TURNS if len(servers) > 1 else 1
    loads: list[list[Load]] = [[] for _ in servers]
    for connections in CONNECTIONS:
        turns = [
            [measure(server.target, server.request, connections, seconds / rounds) for server in servers]
            for _ in range(rounds)
        ]
        for found, own in zip(loads, zip(*turns, strict=True), strict=True):
            if refused := sum(turn.refused for turn in own):
                raise NoPeer(f"refused {refused} calls under load")
            found.append(sorted(own, key=lambda turn: turn.rate)[rounds // 2])
    return loads


def measure_clary(state: Path, model: Path, seconds: float) -> tuple[float, dict[str, list[Load]]]:
    """The prediction, and the loads of the model server and of the endpoint; leaves the model in a file."""
    platform = Platform(state).up()
    try:
        artifacts = train(platform)
        save_model(platform, artifacts, model)
        deploy(platform, artifacts)
        direct = Server(model_server_socket(state), plain("/invocations", "text/csv", ROW))
        runtime = platform.client("sagemaker-runtime")
        invoke = signed(runtime, "invoke_endpoint", EndpointName=NAME, ContentType="text/csv", Body=ROW.encode())
        endpoint = Server(int(platform.url.rpartition(":")[2]), invoke)
        expected = ask(direct)
        loads = load([direct, endpoint], expected, seconds)
        return expected, dict(zip(("model server", "Clary endpoint"), loads, strict=True))
    finally:
        platform.down()


def measure_peer(name: str, model: Path, expected: float, seconds: float) -> list[Load]:
    request = {
        "ray_serve": plain("/", "text/csv", ROW),
        "lit_serve": plain("/predict", "application/json", f'"{ROW}"'),
    }[name]
    with serving(name, str(model)) as port:
        return load([Server(port, request)], expected, seconds)[0]


def add_rows(table: Table, name: str, loads: list[Load], direct: list[Load]) -> None:
    for connections, load, base in zip(CONNECTIONS, loads, direct, strict=True):
        times = f"{load.p50 * 1e3:.2f}", f"{load.p99 * 1e3:.2f}"
        table.add_row(name, str(connections), f"{load.rate:,.0f}", *times, f"{load.rate / base.rate:.2f}")


def main(seconds: float) -> None:
    table = Table("", "connections", "req/s", "p50 ms", "p99 ms", f"ratio (goal {GOAL})")
    table.title = "One CSV row a call to the abalone model; ratio to the model server"
    with tempfile.TemporaryDirectory() as directory:
        model = Path(directory, "model.json")
        expected, ours = measure_clary(Path(directory, "state"), model, seconds)
        direct = next(iter(ours.values()))
        for name, loads in ours.items():
            add_rows(table, name, loads, direct)
        for title, name in (("Ray Serve", "ray_serve"), ("LitServe", "lit_serve")):
            try:
                add_rows(table, title, measure_peer(name, model, expected, seconds), direct)
            except (NoPeer, ConnectionError) as why:
                table.add_row(title, str(why))
    Console().print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
