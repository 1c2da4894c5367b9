"""What data capture costs an endpoint's callers: one that captures every call, beside the same one that captures none.

    python -m benchmarks.captures [seconds]

Both serve the same XGBoost model, one after the other in pairs of turns; the ratio is the median of the pairs'. What
was drawn and could not be kept is counted: more than 32 MiB a second are dropped.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.platform import Platform

from benchmarks.invocations import BUCKET, IMAGE, ROLE, ROW, train
from benchmarks.load import Load, measure
from benchmarks.signed import signed

GOAL = 0.95
TURNS = 9
BODIES = {"100 B": ROW, "100 KB": "\n".join([ROW] * 1800)}
CONNECTIONS = (1, 32)


def deploy(platform: Platform, artifacts: str, name: str, **members: Any) -> None:
    sagemaker = platform.client("sagemaker")
    container = {"Image": IMAGE, "ModelDataUrl": artifacts, "Environment": {"SAGEMAKER_MODEL_SERVER_WORKERS": "1"}}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "A", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **members)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def turns(platform: Platform, body: str, connections: int, seconds: float) -> tuple[list[Load], list[Load]]:
    """Of the endpoint that captures none, and of the one that captures all."""
    runtime, port = platform.client("sagemaker-runtime"), int(platform.url.rpartition(":")[2])

    def turn(name: str) -> Load:
        request = signed(runtime, "invoke_endpoint", EndpointName=name, ContentType="text/csv", Body=body.encode())
        load = measure(port, request, connections, seconds)
        assert not load.refused, f"{load.refused} calls were refused"
        return load

    pairs = [(turn("none"), turn("all")) for _ in range(TURNS)]
    return [none for none, _ in pairs], [every for _, every in pairs]


def dropped(platform: Platform) -> int:
    now = datetime.now(UTC)
    found = platform.client("cloudwatch").get_metric_statistics(
        Namespace="Clary",
        MetricName="UncapturedInvocations",
        Dimensions=[{"Name": "EndpointName", "Value": "all"}, {"Name": "VariantName", "Value": "A"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=3600,
        Statistics=["Sum"],
    )["Datapoints"]
    return int(sum(point["Sum"] for point in found))


def main(seconds: float) -> None:
    table = Table(
        "bodies", "connections", "none req/s", "all req/s", "p99 ms", f"ratio (goal {GOAL})", "dropped so far"
    )
    table.title = "Calls to an endpoint that captures none, and to one that captures all"
    with tempfile.TemporaryDirectory() as directory:
        platform = Platform(Path(directory, "state")).up()
        try:
            artifacts = train(platform)
            capture = {
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{BUCKET}/captured",
                "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
                "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
            }
            deploy(platform, artifacts, "none")
            deploy(platform, artifacts, "all", DataCaptureConfig=capture)
            for size, body in BODIES.items():
                for connections in CONNECTIONS:
                    none, every = turns(platform, body, connections, seconds)
                    ratio = median(b.rate / a.rate for a, b in zip(none, every, strict=True))
                    rates = (f"{median(load.rate for load in loads):,.0f}" for loads in (none, every))
                    slowest = f"{median(load.p99 for load in every) * 1e3:.2f}"
                    table.add_row(size, str(connections), *rates, slowest, f"{ratio:.2f}", str(dropped(platform)))
        finally:
            platform.down()
    Console().print(table)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3.0)
