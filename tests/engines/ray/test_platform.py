"""A whole platform whose instances are on the nodes of a cluster, as a client with boto3 sees it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.engines.ray.cluster import Cluster
from tests.platform import Platform
from tests.programs import log_lines, put, run_job, tar_gz, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint
from tests.services.sagemaker.training.test_clusters import EXCHANGE, TWO

PATIENCE = 120.0
VCPUS = 2
"""Of each node: one ml.m5.large."""
SERVES = """
def model_fn(directory):
    return open(directory + "/algo-1").read()

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    return model

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    started = Cluster(tmp_path / "ray", VCPUS)
    try:
        yield started.up(2)
    finally:
        started.down()


@pytest.fixture
def platform(cluster: Cluster, tmp_path: Path) -> Iterator[Platform]:
    # The nodes are this machine, in truth.
    started = Platform(tmp_path / "state", "--engine", cluster.address, "--advertise", "http://127.0.0.1:0").up()
    yield started
    started.down()


def deploy(platform: Platform, model: str) -> Endpoint:
    endpoint = Endpoint(platform)
    source = put(platform, f"{endpoint.name}/sourcedir.tar.gz", tar_gz({"inference.py": SERVES}))
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}
    name = endpoint.model("", ModelDataUrl=model, Environment=environment)
    endpoint.create(endpoint.config(("AllTraffic", name, 1.0), count=2))
    return endpoint


def replicas(endpoint: Endpoint) -> int:
    described = endpoint.sagemaker.describe_endpoint(EndpointName=endpoint.name)
    count: int = described["ProductionVariants"][0]["CurrentInstanceCount"]
    return count


def answers(endpoint: Endpoint) -> bool:
    """Whether it gives the right answer: the first request to a replica that has just died fails."""
    try:
        return endpoint.ask("x") == "from algo-2"
    except ClientError:
        return False


def test_a_job_on_two_nodes_and_an_endpoint_that_outlives_a_node_and_the_platform(
    platform: Platform, cluster: Cluster
) -> None:
    job = run_job(platform, EXCHANGE, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "algo-1 heard from algo-2" in log_lines(platform, job["TrainingJobName"])

    endpoint = deploy(platform, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert replicas(endpoint) == 2
    assert endpoint.ask("x") == "from algo-2"

    cluster.kill(cluster.nodes[1])
    wait_until(lambda: replicas(endpoint) == 1, PATIENCE)
    # The other node has no room for two; what is there serves.
    assert answers(endpoint)
    cluster.add()
    wait_until(lambda: replicas(endpoint) == 2, PATIENCE)

    platform.kill()
    platform.up()
    again = Endpoint(platform)
    again.name = endpoint.name
    wait_until(lambda: answers(again), PATIENCE)
    # The client's process is the driver's, which the platform's is not.
    assert "_raylet" not in Path(f"/proc/{platform.pid}/maps").read_text()
    again.delete()
