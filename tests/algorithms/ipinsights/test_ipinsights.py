"""IP Insights through the SDK's generic Estimator, and as a process, on made-up log-ins."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.algorithms.container import refusal, stop_when_it_says, write_files
from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, put, unique
from tests.services.sagemaker.training.test_training_jobs import unpack
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "ipinsights", "train")
SERVE = ("clary.algorithms", "ipinsights", "serve")
PARAMETERS = {
    "feature_dim": "2",
    "num_entity_vectors": "2000",
    "vector_dim": "16",
    "epochs": "4",
    "learning_rate": "0.02",
    "mini_batch_size": "500",
}
USERS, NETWORKS = 200, 40


def networks() -> dict[str, list[str]]:
    """Each user logs in from two networks of 256 addresses."""
    chance = random.Random(0)
    known = [".".join(str(chance.randrange(1, 255)) for _ in range(3)) for _ in range(NETWORKS)]
    return {f"user_{number}": chance.sample(known, 2) for number in range(USERS)}


def logins(count: int, seed: int) -> list[tuple[str, str]]:
    chance, homes = random.Random(seed), networks()
    users = chance.choices(list(homes), k=count)
    return [(user, f"{chance.choice(homes[user])}.{chance.randrange(1, 255)}") for user in users]


def csv(events: list[tuple[str, str]]) -> str:
    return "".join(f"{user}, {address}\n" for user, address in events)


@pytest.mark.clients
def test_it_knows_who_logs_in_from_where(platform: Platform, tmp_path: Path) -> None:
    channels: dict[str, Any] = {}
    for name, events in {"train": logins(8000, 1), "validation": logins(1000, 2)}.items():
        (tmp_path / f"{name}.csv").write_text(csv(events))
        channels[name] = {"path": str(tmp_path / f"{name}.csv"), "content_type": "text/csv"}
    usual = logins(300, 3)
    strange = strangers(usual)
    lines = "".join(f"{json.dumps({'features': event})}\n" for event in strange)
    found = estimate(
        platform,
        tmp_path,
        {
            "algorithm": "ipinsights",
            "hyperparameters": PARAMETERS,
            "channels": channels,
            "requests": [
                ("application/json", json.dumps({"instances": [{"data": {"features": {"values": e}}} for e in usual]})),
                ("application/jsonlines", lines),
            ],
        },
    )
    scores = [each["dot_product"] for each in json.loads(found["answers"][0])["predictions"]]
    others = [json.loads(line)["dot_product"] for line in found["answers"][1].splitlines()]
    assert area(scores, others) > 0.95
    assert metrics_of(platform, found["job"])["validation:discriminator_auc"] > 0.97
    await_deletion(platform, "ipinsights")


def area(above: list[float], below: list[float]) -> float:
    """How often one of the first is above one of the second."""
    return sum(one > other for one in above for other in below) / (len(above) * len(below))


def strangers(events: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same addresses with somebody else: as likely as any other that was seen, and not at all this user's."""
    homes = networks()
    others = [(f"user_{(int(user[5:]) + 1) % USERS}", address) for user, address in events]
    return [event for event in others if event[1].rpartition(".")[0] not in homes[event[0]]]


def test_two_instances_learn_what_each_has_seen(platform: Platform, container: Container) -> None:
    """The users are shared out among both, so that neither knows what the other one's do."""
    name, events = unique("ipinsights"), logins(8000, 1)
    for part in range(2):
        mine = [event for event in events if int(event[0][5:]) % 2 == part]
        put(platform, f"{name}/train/{part}.csv", csv(mine))
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{name}/train/",
        "S3DataDistributionType": "ShardedByS3Key",
    }
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/ipinsights:1",
            "TrainingInputMode": "File",
        },
        RoleArn=ROLE,
        HyperParameters=PARAMETERS,
        InputDataConfig=[{"ChannelName": "train", "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{name}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    job = ended(platform, name, 240)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    for file, content in unpack(platform, job["ModelArtifacts"]["S3ModelArtifacts"]).items():
        (container.root / "model" / file).write_bytes(content)
    container.python = python_of("ipinsights:1")
    usual = logins(300, 3)
    with container.serve(*SERVE) as server:
        products = []
        for asked in (usual, strangers(usual)):
            answer = json.loads(server.invoke(csv(asked), "text/csv", "application/json")[2])
            products.append([each["dot_product"] for each in answer["predictions"]])
    assert area(*products) > 0.95


@pytest.fixture
def watcher(container: Container) -> Container:
    container.python = python_of("ipinsights:1")
    return container


def give(container: Container, content: str, **given: str) -> None:
    container.configure("hyperparameters", PARAMETERS | given)
    write_files(container, "text/csv", train={"events.csv": content})


def test_vectors_are_told_and_sigterm_saves(watcher: Container) -> None:
    give(watcher, csv(logins(500, 1)), epochs="100000", num_ip_encoder_layers="2")
    stop_when_it_says(watcher, "train binary_classification_cross_entropy <loss>=", *TRAIN)
    with watcher.serve(*SERVE) as server:
        _, _, body = server.invoke("user_1, 10.1.2.3\nuser_2, 10.1.2.3\n", "text/csv", "application/json;verbose=True")
        one, other = json.loads(body)["predictions"]
        assert list(one) == ["dot_product", "entity_embedding", "ip_embedding"]
        assert one["ip_embedding"] == pytest.approx(other["ip_embedding"])
        product = sum(a * b for a, b in zip(one["entity_embedding"], one["ip_embedding"], strict=True))
        assert product == pytest.approx(one["dot_product"], abs=1e-4)
        assert b"'10.1' is no IPv4 address" in server.invoke("user_1,10.1", "text/csv", "application/json")[2]


@pytest.mark.parametrize(
    ("content", "given", "reason"),
    [
        ("", {}, "Unable to read data channel 'train': there is no data in it"),
        ("user_1,10.0.0.1\nuser_2\n", {}, "events.csv, line 2: 'user_2' has not two columns"),
        ("user_1,10.0.0.256\n", {}, "events.csv, line 1: '10.0.0.256' is no IPv4 address"),
        (
            "user_1,10.0.0.1\n",
            {"random_negative_sampling_rate": "0", "shuffled_negative_sampling_rate": "0"},
            "must add up to 1 at least",
        ),
        ("user_1,10.0.0.1\n", {"vector_dim": "2"}, "'2' is not valid for the 'vector_dim'"),
    ],
)
def test_what_is_wrong_is_said(watcher: Container, content: str, given: dict[str, str], reason: str) -> None:
    give(watcher, content, **given)
    assert reason in refusal(watcher, *TRAIN)
