"""An endpoint that grows under load, with version 2 of the SageMaker Python SDK, and a plot of it.

    pip install 'sagemaker<3' matplotlib
    python scale.py [--seconds 60] [--plot scaling.png]

A model that takes a tenth of a second for each answer is deployed on one instance. Target tracking keeps the requests
that each instance has at once near a target; once there are five times as many clients, instances are added. What was
asked, how long it took and how many instances answered is drawn over time.
"""

import argparse
import tempfile
import threading
import time
from collections import Counter, defaultdict
from pathlib import Path

import sagemaker
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn.model import SKLearnModel

SCRIPT = """
import time

def model_fn(model_dir):
    return None

def predict_fn(data, model):
    time.sleep(0.1)
    return data
"""
VARIANT = "AllTraffic"
FEW, MANY = 2, 10
"""Clients before the step and after it."""
TARGET = 3.0
"""Requests that an instance has at once."""


class Clients:
    """Ask again and again, each waiting for its answer."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.answers: list[tuple[float, float]] = []
        """When each was answered, and how long it took."""
        self.failures: list[Exception] = []

    def add(self, number: int) -> None:
        for _ in range(number):
            self._threads.append(threading.Thread(target=self._ask))
            self._threads[-1].start()

    def end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        while not self._over.is_set():
            began = time.time()
            try:
                self._predictor.predict([1, 2, 3])
                self.answers.append((time.time(), time.time() - began))
            except Exception as error:
                self.failures.append(error)


def deploy(session: sagemaker.Session, role: str) -> Predictor:
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory) / "slow.py"
        script.write_text(SCRIPT)
        model = SKLearnModel(
            model_data=None,
            role=role,
            entry_point=str(script),
            framework_version="1.2-1",
            env={"SAGEMAKER_MODEL_SERVER_WORKERS": "1"},
            sagemaker_session=session,
        )
        return model.deploy(1, "ml.m5.large", serializer=CSVSerializer(), wait=False)


def track(session: sagemaker.Session, endpoint: str) -> None:
    scaling = session.boto_session.client("application-autoscaling")
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    scaling.register_scalable_target(**key, MinCapacity=1, MaxCapacity=5)
    metric = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
    scaling.put_scaling_policy(
        **key,
        PolicyName="concurrency",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": TARGET,
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            "ScaleOutCooldown": 30,
        },
    )


def instances(session: sagemaker.Session, endpoint: str) -> int:
    (variant,) = session.sagemaker_client.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return int(variant["CurrentInstanceCount"])


def watch(session: sagemaker.Session, endpoint: str, until: float) -> list[tuple[float, int]]:
    """How many instances there were, each second."""
    seen = []
    while time.time() < until:
        seen.append((time.time(), instances(session, endpoint)))
        time.sleep(1)
    return seen


def draw(clients: Clients, seen: list[tuple[float, int]], began: float, step: float, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rate, took = Counter(), defaultdict(list)
    for at, seconds in clients.answers:
        rate[int(at - began)] += 1
        took[int(at - began)].append(seconds * 1000)
    times = sorted(rate)
    figure, (upper, lower) = pyplot.subplots(2, sharex=True, figsize=(7, 5), layout="constrained")
    upper.plot(times, [rate[second] for second in times], label="answers a second")
    upper.step([at - began for at, _ in seen], [count for _, count in seen], where="post", label="instances")
    lower.plot(times, [sorted(took[second])[len(took[second]) // 2] for second in times])
    for axes in (upper, lower):
        axes.axvline(step - began, color="0.7", linestyle="--")
    upper.legend()
    lower.set(xlabel="seconds", ylabel="median latency in ms")
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--seconds", type=int, default=60, help="after the step")
    parser.add_argument("--plot", type=Path, default=Path("scaling.png"))
    arguments = parser.parse_args()
    session = sagemaker.Session()
    predictor = deploy(session, arguments.role)
    endpoint = predictor.endpoint_name
    session.wait_for_endpoint(endpoint, poll=1)
    clients = Clients(predictor)
    try:
        track(session, endpoint)
        began = time.time()
        clients.add(FEW)
        seen = watch(session, endpoint, began + 10)
        step = time.time()
        clients.add(MANY - FEW)
        seen += watch(session, endpoint, step + arguments.seconds)
    finally:
        clients.end()
        predictor.delete_model()
        predictor.delete_endpoint()
    more = [at - step for at, count in seen if count > 1]
    when = f"after {min(more):.0f} s" if more else "never"
    print(f"instances: {seen[0][1]} before the step, {seen[-1][1]} in the end; the second {when}")
    print(f"calls: {len(clients.answers)} answered, {len(clients.failures)} failed")
    draw(clients, seen, began, step, arguments.plot)
    print(f"drawn: {arguments.plot}")


if __name__ == "__main__":
    main()
