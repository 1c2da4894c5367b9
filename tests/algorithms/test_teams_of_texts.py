"""Training jobs of two instances on series and sentences, of which neither half alone would give the model."""

import json

import numpy as np
import pytest

from clary.toolkits.recordio_writing import write_records
from tests.algorithms.blazingtext.test_blazingtext import TOPICS as KINDS
from tests.algorithms.blazingtext.test_blazingtext import sentences
from tests.algorithms.forecasting_deepar.test_deepar import AHEAD, PARAMETERS, known, lines, naive_loss, whole
from tests.algorithms.ntm.test_ntm import LEARNING, TOPICS, WORDS, make_documents
from tests.algorithms.walk import metrics_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, log_lines, put, unique
from tests.services.sagemaker.training.test_clusters import TWO
from tests.services.sagemaker.training.test_training_jobs import unpack


def train(
    platform: Platform,
    algorithm: str,
    parameters: dict[str, str],
    *objects: bytes,
    distribution: str = "ShardedByS3Key",
    test: bytes = b"",
    **settings: str,
) -> str:
    """The name of a job of two instances. Each has one of the objects to train on, or all of them where they are
    replicated; `settings` are of the channels."""
    name = unique(algorithm)
    for number, content in enumerate(objects):
        put(platform, f"{name}/train/part-{number}", content)
    channels = {"train": distribution}
    if test:
        put(platform, f"{name}/test/all", test)
        channels["test"] = "FullyReplicated"
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={
            "TrainingImage": f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{algorithm}:1",
            "TrainingInputMode": "File",
        },
        RoleArn=ROLE,
        HyperParameters=parameters,
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{BUCKET}/{name}/{channel}/",
                        "S3DataDistributionType": distributed,
                    }
                },
                **settings,
            }
            for channel, distributed in channels.items()
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{name}/output"},
        ResourceConfig=TWO,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return name


def completed(platform: Platform, name: str) -> dict[str, bytes]:
    """What the job has left."""
    described = ended(platform, name, 240)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    return unpack(platform, described["ModelArtifacts"]["S3ModelArtifacts"])


@pytest.mark.slow
def test_topics_that_one_instance_alone_has_seen_are_found(platform: Platform) -> None:
    counts, mixtures, words = make_documents(0, 2000)
    # Neither has the documents that are mostly of the other's last topics.
    order = np.argsort(mixtures.argmax(axis=1), kind="stable")
    halves = [write_records({"values": counts[each]}, {}) for each in np.split(order, 2)]
    # As many steps as one instance takes.
    parameters = {"feature_dim": str(WORDS), "num_topics": str(TOPICS), **LEARNING, "epochs": "80"}
    name = train(platform, "ntm", parameters, *halves, ContentType="application/x-recordio-protobuf", InputMode="Pipe")
    assert "model.pt" in completed(platform, name)
    told = [line.split("] ")[-1].split()[:5] for line in log_lines(platform, name)]
    found = sorted(sorted(map(int, each)) for each in told if len(each) == 5 and all(map(str.isdigit, each)))
    assert found == sorted(np.flatnonzero(topic).tolist() for topic in words)


@pytest.mark.slow
def test_series_of_kinds_that_one_instance_alone_has_seen_are_forecast(platform: Platform) -> None:
    rows = whole()
    # Of each kind of weeks, which `cat` tells, one instance has all series.
    halves = [lines([known(row) for row in rows[kind::2]]).encode() for kind in (0, 1)]
    # As many examples at a time as one instance has.
    parameters = {**PARAMETERS, "mini_batch_size": "16"}
    name = train(platform, "forecasting-deepar", parameters, *halves, test=lines(rows).encode(), ContentType="json")
    files = completed(platform, name)
    assert set(files) == {"model.pt", "model.json"}
    assert json.loads(files["model.json"])["shape"]["cardinality"] == [2]
    assert metrics_of(platform, name)["test:mean_wQuantileLoss"] < 0.6 * naive_loss(rows)
    assert json.loads(files["model.json"])["plan"]["prediction"] == AHEAD


def test_vectors_are_of_all_lines(platform: Platform) -> None:
    text = sentences(3000, 3, labelled=False)
    parameters = {"mode": "batch_skipgram", "vector_dim": "20", "epochs": "10", "sampling_threshold": "0.01"}
    name = train(platform, "blazingtext", parameters, text.encode(), distribution="FullyReplicated")
    files = completed(platform, name)
    assert {"vectors.bin", "vectors.txt"} <= set(files)
    head, *rows = files["vectors.txt"].decode().splitlines()
    assert head.split() == [str(len(rows)), "20"]
    vectors = {word: np.array(numbers, float) for word, *numbers in map(str.split, rows)}
    likeness = {word: vector @ vectors["moon"] / np.linalg.norm(vector) for word, vector in vectors.items()}
    nearest = sorted(likeness, key=lambda word: -likeness[word])[:10]
    assert len(set(nearest) & set(KINDS["space"].split())) >= 9


def test_other_modes_of_blazingtext_train_on_one_instance(platform: Platform) -> None:
    name = train(platform, "blazingtext", {"mode": "skipgram"}, b"a b c\n", distribution="FullyReplicated")
    described = ended(platform, name)
    assert described["TrainingJobStatus"] == "Failed"
    assert "The mode skipgram trains on one instance, and there are 2: use batch_skipgram" in described["FailureReason"]
