"""Input of training jobs through boto3: what comes out of pipes, how often, and what becomes of programs that misuse
them."""

import gzip
import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, SKLEARN, ended, log_lines, put, run_job, training_request, unique, wait_until

PIPE = {"TrainingImage": SKLEARN, "TrainingInputMode": "Pipe"}
FILE = {"TrainingImage": SKLEARN, "TrainingInputMode": "File"}
TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
EPOCHS = """
import json, sys
for epoch in range({epochs}):
    with open(f"/opt/ml/input/data/train_{{epoch}}", "rb") as pipe:
        print("epoch", epoch, pipe.read(), flush=True)
"""


def channel(uri: str, kind: str = "S3Prefix", name: str = "train", **members: Any) -> dict[str, Any]:
    source = {"S3DataType": kind, "S3Uri": uri, **members.pop("source", {})}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **members}


def put_all(platform: Platform, objects: dict[str, bytes]) -> str:
    """The prefix of these objects."""
    prefix = unique("data")
    for name, body in objects.items():
        put(platform, f"{prefix}/{name}", body)
    return f"s3://{BUCKET}/{prefix}/"


def epochs_of(platform: Platform, job: dict[str, Any]) -> list[str]:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return [line for line in log_lines(platform, job["TrainingJobName"]) if line.startswith("epoch")]


def run_pipe(platform: Platform, given: dict[str, Any], script: str = "", epochs: int = 1) -> dict[str, Any]:
    script = script or EPOCHS.format(epochs=epochs)
    return run_job(platform, script, AlgorithmSpecification=PIPE, InputDataConfig=[given])


def records(*bodies: bytes) -> bytes:
    framed = [struct.pack("<II", 0xCED7230A, len(body)) + body + bytes(-len(body) % 4) for body in bodies]
    return b"".join(framed)


def test_each_epoch_is_a_pipe_with_all_objects_in_order(platform: Platform) -> None:
    uri = put_all(platform, {"b.csv": b"3\n", "a.csv": b"1\n2\n", "folder/": b"", "c/../d": b"4\n", "empty": b""})
    seen, data = epochs_of(platform, run_pipe(platform, channel(uri), epochs=3)), b"1\n2\n3\n4\n"
    assert seen == [f"epoch {number} {data!r}" for number in range(3)]


def test_the_program_finds_its_modes_and_no_directory(platform: Platform) -> None:
    uri = put_all(platform, {"a": b"x"})
    script = """
import json, os
print("config", open("/opt/ml/input/config/inputdataconfig.json").read())
print("there", sorted(os.listdir("/opt/ml/input/data")), os.listdir("/opt/ml/input/data/files"))
"""
    config = [
        channel(uri, ContentType="text/csv", RecordWrapperType="RecordIO"),
        channel(uri, name="files", InputMode="FastFile"),
    ]
    job = run_job(platform, script, AlgorithmSpecification=PIPE, InputDataConfig=config)
    lines = log_lines(platform, job["TrainingJobName"])
    told = json.loads(next(line for line in lines if line.startswith("config")).removeprefix("config "))
    assert told == {
        "train": {
            "TrainingInputMode": "Pipe",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "RecordIO",
            "ContentType": "text/csv",
        },
        "files": {
            "TrainingInputMode": "FastFile",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        },
    }
    assert "there ['files', 'train_0', 'train_1'] ['a']" in lines


def test_gzip_is_decompressed_and_objects_become_records(platform: Platform) -> None:
    uri = put_all(platform, {"a.gz": gzip.compress(b"hello"), "b.gz": gzip.compress(b"wor") + gzip.compress(b"ld!!")})
    seen = epochs_of(platform, run_pipe(platform, channel(uri, CompressionType="Gzip")))
    assert seen == [f"epoch 0 {b'helloworld!!'!r}"]
    given = channel(uri, CompressionType="Gzip", RecordWrapperType="RecordIO")
    assert epochs_of(platform, run_pipe(platform, given)) == [f"epoch 0 {records(b'hello', b'world!!')!r}"]


def test_what_is_not_gzip_fails_the_job_and_ends_the_program(platform: Platform) -> None:
    uri = put_all(platform, {"a": gzip.compress(b"fine"), "b": b"no gzip at all"})
    job = run_pipe(platform, channel(uri, CompressionType="Gzip"))
    assert job["TrainingJobStatus"] == "Failed"
    assert "ClientError: Data download failed: b: it is not gzip" in job["FailureReason"]


def test_a_manifest_is_read_in_its_order(platform: Platform) -> None:
    uri = put_all(platform, {"a": b"1", "b": b"2", "c": b"3"})
    manifest = put(platform, unique("manifest"), json.dumps([{"prefix": uri}, "c", "a"]))
    assert epochs_of(platform, run_pipe(platform, channel(manifest, "ManifestFile"))) == [f"epoch 0 {b'31'!r}"]


def test_a_line_of_an_augmented_manifest_gives_its_attributes_in_order(platform: Platform) -> None:
    uri = put_all(platform, {"cat.jpg": b"miaow", "dog.jpg": b"woof"})
    lines = [
        {"is-a-cat": 1, "image-ref": f"{uri}cat.jpg", "not": "asked for"},
        {"image-ref": f"{uri}dog.jpg", "is-a-cat": {"maybe": "n\u00f6"}},
    ]
    manifest = put(platform, unique("lines"), "\n".join(map(json.dumps, lines)) + "\n")
    source = {"AttributeNames": ["image-ref", "is-a-cat"]}
    given = channel(manifest, "AugmentedManifestFile", source=source, RecordWrapperType="RecordIO")
    expected = records(b"miaow", b"1", b"woof", json.dumps({"maybe": "n\u00f6"}).encode())
    assert epochs_of(platform, run_pipe(platform, given)) == [f"epoch 0 {expected!r}"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"image-ref": "s3://%s/nothing"}', "There is no S3 object s3://"),
        ('{"other": 1}', "Line 1 of the augmented manifest .* has no attribute 'image-ref'"),
        ("[1]", "Line 1 of the augmented manifest .* is not a JSON object"),
        ('{"image-ref": "/etc/passwd"}', "'/etc/passwd' is not an S3 URI"),
    ],
)
def test_an_augmented_manifest_that_makes_no_sense(platform: Platform, line: str, reason: str) -> None:
    manifest = put(platform, unique("lines"), line.replace("%s", BUCKET))
    given = channel(manifest, "AugmentedManifestFile", source={"AttributeNames": ["image-ref"]})
    job = run_pipe(platform, given)
    assert job["TrainingJobStatus"] == "Failed"
    assert re.search(reason, job["FailureReason"])


def test_shuffling_by_a_seed_differs_by_epoch_and_is_the_same_in_another_job(platform: Platform) -> None:
    uri = put_all(platform, {f"{letter}": letter.encode() for letter in "abcdefghij"})
    jobs = [run_pipe(platform, channel(uri, ShuffleConfig={"Seed": 7}), epochs=3) for _ in range(2)]
    first, second = (epochs_of(platform, job) for job in jobs)
    assert first == second
    orders = [line.split("'")[1] for line in first]
    assert len(set(orders)) == 3
    assert {"".join(sorted(order)) for order in orders} == {"abcdefghij"}


def test_shards_of_a_shuffled_channel_move_between_instances(platform: Platform) -> None:
    uri = put_all(platform, {f"{letter}": letter.encode() for letter in "abcdefghij"})
    given = channel(uri, ShuffleConfig={"Seed": 1}, source={"S3DataDistributionType": "ShardedByS3Key"})
    script = EPOCHS.format(epochs=2)
    job = run_job(platform, script, AlgorithmSpecification=PIPE, InputDataConfig=[given], ResourceConfig=TWO)
    shards = [(line.split()[1], line.split("'")[1]) for line in epochs_of(platform, job)]
    for epoch in ("0", "1"):
        halves = [shard for number, shard in shards if number == epoch]
        assert [len(half) for half in halves] == [5, 5]
        assert sorted("".join(halves)) == list("abcdefghij")
    assert len({frozenset(shard) for _, shard in shards}) == 4


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("print('epoch', 'never opened')", id="never"),
        pytest.param(
            "print('epoch', open('/opt/ml/input/data/train_0', 'rb').read(10))\n"
            "print('epoch', len(open('/opt/ml/input/data/train_1', 'rb').read()))",
            id="closes-early",
        ),
        pytest.param(
            "import os\nopen('/opt/ml/input/data/train_0').close()\nopen('/opt/ml/input/data/train_1').close()\n"
            "print('epoch', len(open('/opt/ml/input/data/train_2', 'rb').read()))",
            id="closes-at-once",
        ),
        pytest.param(
            "import subprocess\np = subprocess.Popen(['sleep', '1000'], stdin=open('/opt/ml/input/data/train_0'))\n"
            "print('epoch', 'left open by a child')",
            id="left-open",
        ),
    ],
)
def test_a_program_may_read_less_than_there_is(platform: Platform, script: str) -> None:
    uri = put_all(platform, {"big": bytes(3 * 2**20)})
    assert epochs_of(platform, run_pipe(platform, channel(uri), script))


def test_a_pipe_that_was_read_to_its_end_is_gone(platform: Platform) -> None:
    uri = put_all(platform, {"a": b"1"})
    script = EPOCHS.format(epochs=2) + "\nopen('/opt/ml/input/data/train_0')\n"
    job = run_pipe(platform, channel(uri), script)
    assert "FileNotFoundError" in job["FailureReason"]


def test_a_program_that_dies_in_the_middle_fails_with_its_own_reason(platform: Platform) -> None:
    uri = put_all(platform, {"big": bytes(3 * 2**20)})
    job = run_pipe(platform, channel(uri), "open('/opt/ml/input/data/train_0').read(1)\nraise ValueError('enough')\n")
    assert "ValueError: enough" in job["FailureReason"]


def test_a_program_that_waits_at_its_pipe_can_be_stopped(platform: Platform) -> None:
    uri = put_all(platform, {"big": bytes(3 * 2**20)})
    script = "import time\npipe = open('/opt/ml/input/data/train_0')\nprint('ready', flush=True)\ntime.sleep(600)\n"
    request = training_request(platform, script, AlgorithmSpecification=PIPE, InputDataConfig=[channel(uri)])
    sagemaker, name = platform.client("sagemaker"), request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    wait_until(lambda: "ready" in log_lines(platform, name))
    sagemaker.stop_training_job(TrainingJobName=name)
    assert ended(platform, name)["TrainingJobStatus"] == "Stopped"


def test_what_a_program_puts_in_the_place_of_a_pipe_is_not_written_to(platform: Platform, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    victim.chmod(0o666)
    uri = put_all(platform, {"a": b"1"})
    script = f"""
import os, time
os.unlink("/opt/ml/input/data/train_1")
os.symlink({str(victim)!r}, "/opt/ml/input/data/train_1")
open("/opt/ml/input/data/train_0").read()
time.sleep(600)
"""
    job = run_pipe(platform, channel(uri), script)
    assert "the pipe train_1 is gone" in job["FailureReason"]
    assert victim.read_text() == "untouched"


def test_objects_that_are_deleted_meanwhile_are_read_all_the_same(platform: Platform) -> None:
    body = bytes(range(256)) * 2**12
    uri = put_all(platform, {"a": body})
    key = uri.removeprefix(f"s3://{BUCKET}/") + "a"
    script = f"""
import boto3, hashlib
boto3.client("s3").delete_object(Bucket={BUCKET!r}, Key={key!r})
print("epoch", hashlib.sha256(open("/opt/ml/input/data/train_0", "rb").read()).hexdigest())
"""
    assert epochs_of(platform, run_pipe(platform, channel(uri), script)) == [
        f"epoch {hashlib.sha256(body).hexdigest()}"
    ]


def test_a_channel_without_objects_fails_with_its_uri(platform: Platform) -> None:
    uri = f"s3://{BUCKET}/{unique('nothing')}/"
    assert f'No S3 objects found under S3 URL "{uri}"' in run_pipe(platform, channel(uri))["FailureReason"]


URI = "s3://a/b"
AUGMENTED = channel(URI, "AugmentedManifestFile", source={"AttributeNames": ["x"]})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ([channel(URI, CompressionType="Gzip")], "CompressionType Gzip can be used only with InputMode Pipe"),
        ([channel(URI, RecordWrapperType="RecordIO")], "RecordWrapperType RecordIO can be used only"),
        ([channel(URI, RecordWrapperType="RecordIO", InputMode="FastFile")], "the channel train has FastFile"),
        ([AUGMENTED], "S3DataType AugmentedManifestFile can be used only with InputMode Pipe"),
        ([channel(URI, "AugmentedManifestFile", InputMode="Pipe")], "needs AttributeNames"),
        ([channel(URI, source={"AttributeNames": ["x"]})], "only with S3DataType AugmentedManifestFile"),
        ([channel(URI, InputMode="Pipe"), channel(URI, name="train_0")], "in the place of a pipe of the channel train"),
    ],
)
def test_members_that_do_not_go_together_are_refused(
    platform: Platform, config: list[dict[str, Any]], message: str
) -> None:
    request = training_request(platform, "", AlgorithmSpecification=FILE, InputDataConfig=config)
    with pytest.raises(ClientError, match=message) as refused:
        platform.client("sagemaker").create_training_job(**request)
    assert refused.value.response["Error"]["Code"] == "ValidationException"
