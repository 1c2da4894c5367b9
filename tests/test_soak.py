"""`kill -9` of platform and agents, at random, while jobs come, run, fail and are stopped: each ends as it should."""

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from clary.engines import locks
from clary.engines.process import ProcessEngine
from tests.platform import Platform
from tests.programs import BUCKET, PATIENCE, log_lines, training_request, unique, wait_until

GOOD = "import time; time.sleep(0.5); open('/opt/ml/model/weights', 'w').write('1'); print('trained', flush=True)"
BAD = "import sys; print('broken', flush=True); sys.exit(3)"
LONG = "import time; time.sleep(600)"
RETRIED, PLAIN, FAILING, STOPPED = "retried", "plain", "failing", "stopped"
KINDS = (RETRIED, PLAIN, FAILING, STOPPED)
ONE_IN = 4
"""Of so many kills one is the platform's, the others agents'."""
LIVE = ("InProgress", "Stopping")


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """It has room for four jobs at a time."""
    monkeypatch.setenv("CLARY_CAPACITY", "vcpus=8,memory=1024GiB")
    started = Platform(tmp_path / "state", "--no-oversubscribe").up()
    yield started
    started.down()


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_each_job_ends_in_a_right_state_whatever_is_killed(platform: Platform, kills: int) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    sagemaker = platform.client("sagemaker")
    scripts = {RETRIED: GOOD, PLAIN: GOOD, FAILING: BAD, STOPPED: LONG}
    requests = {kind: training_request(platform, script) for kind, script in scripts.items()}
    requests[RETRIED]["RetryStrategy"] = {"MaximumRetryAttempts": 30}
    jobs: dict[str, str] = {}
    agents_killed = 0
    for number in range(kills):
        jobs[create(sagemaker, requests[KINDS[number % len(KINDS)]])] = KINDS[number % len(KINDS)]
        time.sleep(chance.uniform(0, 0.4))  # Bad luck comes at any moment.
        if chance.randrange(ONE_IN):
            agents_killed += kill_an_agent(platform, chance)
        else:
            platform.kill()
            platform.up()
        if jobs[list(jobs)[-1]] == STOPPED:
            stop(sagemaker, list(jobs)[-1])

    described = {name: wait_until(partial(once_ended, sagemaker, name), PATIENCE + kills) for name in jobs}
    lost = [name for name, kind in jobs.items() if not ended_rightly(platform, described[name], kind)]
    assert len(lost) <= agents_killed, [described[name].get("FailureReason") for name in lost]
    engine = ProcessEngine(platform.state / "instances", platform.state / "layers")
    wait_until(lambda: not engine.instances())


def create(sagemaker: Any, request: dict[str, Any]) -> str:
    name = unique("soak")
    sure(lambda: sagemaker.create_training_job(**{**request, "TrainingJobName": name}), "ResourceInUse")
    return name


def stop(sagemaker: Any, name: str) -> None:
    sure(lambda: sagemaker.stop_training_job(TrainingJobName=name), "ValidationException")


def sure(call: Callable[[], Any], done: str) -> None:
    """Call until it is answered; the error `done` says that it was done before, or comes too late."""
    while True:
        try:
            call()
            return
        except ClientError as error:
            if error.response["Error"]["Code"] == done:
                return
            if error.response["Error"]["Code"] != "ServiceUnavailable":
                raise
        except BotoCoreError:
            continue  # The platform was killed before it answered.


def kill_an_agent(platform: Platform, chance: random.Random) -> bool:
    found = sorted((platform.state / "instances").glob("*/agent.lock"))
    chance.shuffle(found)
    for lock in found:
        with contextlib.suppress(OSError, ValueError):
            if locks.is_held(str(lock)):
                os.kill(int(lock.read_text()), signal.SIGKILL)
                return True
    return False


def once_ended(sagemaker: Any, name: str) -> dict[str, Any] | None:
    job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
    return None if job["TrainingJobStatus"] in LIVE else job


def ended_rightly(platform: Platform, job: dict[str, Any], kind: str) -> bool:
    """False for a job that was lost with its agent, which one that is tried again never is."""
    name, status, reason = job["TrainingJobName"], job["TrainingJobStatus"], job.get("FailureReason", "")
    assert job["SecondaryStatusTransitions"][-1]["Status"] == status
    if reason.startswith("InternalServerError"):
        assert status == "Failed"
        assert kind != RETRIED, reason
        return False
    if kind == FAILING:
        assert status == "Failed"
        assert reason.startswith("AlgorithmError")
    elif kind == STOPPED:
        assert status == "Stopped"
    else:
        assert status == "Completed", reason
        key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{BUCKET}/")
        assert platform.client("s3").head_object(Bucket=BUCKET, Key=key)["ContentLength"]
        trained = log_lines(platform, name).count("trained")
        assert trained >= 1
        assert trained == 1 or kind == RETRIED
    return True
