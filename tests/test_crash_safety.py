"""`kill -9` of the platform while a job trains and an endpoint serves: nothing is lost."""

import threading
from concurrent.futures import ThreadPoolExecutor

from botocore.exceptions import BotoCoreError, ClientError

from clary.engines.process import ProcessEngine
from clary.instance.spec import InstanceSpec
from tests.platform import Platform
from tests.programs import ended, log_lines, training_request, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SCRIPT = """
import pathlib, time
for n in range(40):
    print(f"line {n}", flush=True)
    time.sleep(0.1)
pathlib.Path("/opt/ml/model/done").write_text("yes")
"""


def test_a_job_and_an_endpoint_outlive_the_platform(own_platform: Platform) -> None:
    platform = own_platform
    endpoint = Endpoint(platform)
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0)))
    request = training_request(platform, SCRIPT)
    name = request["TrainingJobName"]
    platform.client("sagemaker").create_training_job(**request)
    wait_until(lambda: "line 5" in lines_so_far(platform, name))

    platform.kill()
    platform.up()
    again = Endpoint(platform)
    again.name = endpoint.name
    assert again.settled()["EndpointStatus"] == "InService"
    wait_until(lambda: answers(again))

    platform.kill()
    platform.up()
    job = ended(platform, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    printed = [line for line in log_lines(platform, name) if line.startswith("line ")]
    assert printed == [f"line {n}" for n in range(40)]
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{name}/output/model.tar.gz")


def test_a_job_that_ended_while_the_platform_was_away_is_completed(own_platform: Platform) -> None:
    request = training_request(own_platform, "print('short', flush=True)")
    own_platform.client("sagemaker").create_training_job(**request)
    own_platform.kill()
    own_platform.up()
    job = ended(own_platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-1] == "Completed"
    assert "short" in log_lines(own_platform, request["TrainingJobName"])


def test_outputs_are_kept_again_after_a_kill_between_keeping_and_ending(own_platform: Platform) -> None:
    """The object may be there without the job knowing, and the instance without a job."""
    script = "import time; time.sleep(1); open('/opt/ml/model/weights', 'w').write('1')"
    request = training_request(own_platform, script)
    name = request["TrainingJobName"]
    engine = ProcessEngine(own_platform.state / "instances", own_platform.state / "layers")
    sagemaker = own_platform.client("sagemaker")
    sagemaker.create_training_job(**request)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    own_platform.kill()
    (instance,) = engine.instances()
    wait_until(lambda: engine.poll(instance).phase == "Done")
    forgotten = InstanceSpec("nobodys-1", ["/bin/sleep", "600"])
    engine.start([forgotten])
    own_platform.up()
    job = ended(own_platform, name)
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"{name}/output/model.tar.gz")
    wait_until(lambda: not engine.instances())


def test_an_endpoint_in_service_is_unavailable_and_never_unknown_after_a_kill(own_platform: Platform) -> None:
    """Clients try again on the one and give up on the other, whether they name a variant or not."""
    platform = own_platform
    endpoint = Endpoint(platform)
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0)))
    stop = threading.Event()
    refusals: set[str] = set()

    def ask(**options: str) -> None:
        while not stop.is_set():
            try:
                endpoint.ask("x", **options)
            except ClientError as error:
                refusals.add(error.response["Error"]["Code"])
            except BotoCoreError:
                continue  # the platform is away

    with ThreadPoolExecutor() as pool:
        callers = [pool.submit(ask), pool.submit(ask, TargetVariant="AllTraffic")]
        for _ in range(4):
            platform.kill()
            platform.up()
            wait_until(lambda: answers(endpoint))
        stop.set()
    for caller in callers:
        caller.result()
    assert refusals <= {"ServiceUnavailable"}


def lines_so_far(platform: Platform, name: str) -> list[str]:
    try:
        return log_lines(platform, name)
    except platform.client("logs").exceptions.ResourceNotFoundException:
        return []


def answers(endpoint: Endpoint) -> bool:
    try:
        return endpoint.ask("x") == "hello:x"
    except endpoint.runtime.exceptions.ClientError:
        return False
