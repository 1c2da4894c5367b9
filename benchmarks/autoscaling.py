"""Five times the load: how soon does target tracking answer it with more instances, and does a call fail meanwhile?

    python -m benchmarks.autoscaling

A model that takes 50 ms for each answer, one at a time, is asked by two clients, then by ten. Target tracking holds
`SageMakerVariantConcurrentRequestsPerModelHighResolution` at 3. The evaluation period is that of its alarm: three
datapoints of ten seconds. The first of them begins with the next multiple of ten seconds after the step at the latest,
so an answer may be due 40 s after a step at the worst moment; the step here is just after such a multiple.
"""

import statistics
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tests.platform import Platform
from tests.programs import put, tar_gz

NAME, VARIANT = "scaled", "AllTraffic"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = """
import time

def model_fn(model_dir):
    return None

def predict_fn(data, model):
    time.sleep(0.05)
    return data
"""
FEW, MANY = 2, 10
TARGET, DATAPOINT, DATAPOINTS = 3.0, 10, 3
EVALUATION = DATAPOINT * DATAPOINTS
SETTLED = 20
"""Seconds that are watched once there are enough instances."""
LONGEST = 120


@dataclass
class Load:
    """Clients that each wait for their answer before they ask again."""

    platform: Platform
    answers: list[tuple[float, float]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def add(self, clients: int) -> None:
        for _ in range(clients):
            self.threads.append(threading.Thread(target=self._ask))
            self.threads[-1].start()

    def end(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()

    def latency(self, since: float, until: float) -> float:
        """Median, in milliseconds."""
        took = [seconds * 1000 for at, seconds in list(self.answers) if since <= at < until]
        return statistics.median(took) if took else float("nan")

    def rate(self, since: float, until: float) -> float:
        return sum(since <= at < until for at, _ in list(self.answers)) / (until - since)

    def _ask(self) -> None:
        runtime = self.platform.client("sagemaker-runtime")
        while not self.over.is_set():
            began = time.time()
            try:
                runtime.invoke_endpoint(EndpointName=NAME, Body=b"1,2,3", ContentType="text/csv")["Body"].read()
                self.answers.append((time.time(), time.time() - began))
            except Exception as error:
                self.failures.append(error)


def deploy(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    model = put(platform, f"{NAME}/model.tar.gz", tar_gz({"code/inference.py": SCRIPT}))
    environment = {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "SAGEMAKER_MODEL_SERVER_WORKERS": "1",
    }
    container = {"Image": IMAGE, "ModelDataUrl": model, "Environment": environment}
    sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": VARIANT,
        "ModelName": NAME,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def track(platform: Platform) -> None:
    scaling = platform.client("application-autoscaling")
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{NAME}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=8)
    metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    scaling.put_scaling_policy(
        **key,
        PolicyName="concurrency",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": TARGET,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
        },
    )


def counts(platform: Platform) -> tuple[int, int]:
    """Instances that are wanted, and those that answer."""
    (variant,) = platform.client("sagemaker").describe_endpoint(EndpointName=NAME)["ProductionVariants"]
    return variant["DesiredInstanceCount"], variant["CurrentInstanceCount"]


def wait_for_growth(platform: Platform, since: float) -> tuple[float, float, int]:
    """Seconds until more were asked for, and until they all answered; and how many."""
    asked = None
    while time.time() < since + LONGEST:
        wanted, there = counts(platform)
        if wanted > 1 and asked is None:
            asked = time.time() - since
        if asked is not None and there == wanted:
            return asked, time.time() - since, there
        time.sleep(0.2)
    raise SystemExit("the endpoint did not grow")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        platform = Platform(Path(directory, "state")).up()
        try:
            report(platform)
        finally:
            platform.down()


def report(platform: Platform) -> None:
    deploy(platform)
    track(platform)
    load = Load(platform)
    began = time.time()
    load.add(FEW)
    time.sleep(DATAPOINT + DATAPOINT - time.time() % DATAPOINT + 0.1)
    step = time.time()
    load.add(MANY - FEW)
    asked, there, instances = wait_for_growth(platform, step)
    time.sleep(SETTLED)
    end = time.time()
    load.end()
    spans = {"before": (began, step), "after the step": (step, step + asked), "grown": (step + there, end)}
    table = Table(title=f"{FEW} clients, then {MANY}; target {TARGET:g}; evaluation period {EVALUATION} s")
    for column in ("", "value", "ratio to the evaluation period"):
        table.add_column(column)
    table.add_row("until more instances were asked for", f"{asked:.1f} s", f"{asked / EVALUATION:.2f}")
    table.add_row(f"until {instances} answered", f"{there:.1f} s", f"{there / EVALUATION:.2f}")
    for name, span in spans.items():
        table.add_row(f"{name}: answers a second, median", f"{load.rate(*span):.0f}, {load.latency(*span):.0f} ms", "")
    table.add_row("calls answered, failed", f"{len(load.answers)}, {len(load.failures)}", "")
    Console().print(table)


if __name__ == "__main__":
    main()
