"""A whole platform whose instances are on another machine: nothing goes by files, all by URL."""

import gzip
import hashlib
import os
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.objects.embedded import OWN_BUCKET
from tests.engines.capability import sandbox_works
from tests.oci_images import Built, build, busybox_layer, layer, push, python_layer, script
from tests.platform import Platform
from tests.programs import BUCKET, ended, log_lines, put, run_job, tar_gz, training_request, unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import INFERENCE, Endpoint
from tests.services.sagemaker.processing.test_processing_jobs import asked, run, stored, written
from tests.services.sagemaker.test_own_images import SERVE
from tests.services.sagemaker.transform.test_transform_jobs import Bench

ENGINE = ("--engine", "tests.engines.remote:open_remote", "--advertise", "http://127.0.0.1:0")
LISTS = """
import os, pathlib
top = pathlib.Path("/opt/ml/input/data/train")
for path in sorted(top.rglob("*")):
    print("found", repr(str(path.relative_to(top))), path.stat().st_size if path.is_file() else "directory")
(top / "plain.csv").write_text("changed")
"""
WAITS = """
import os, pathlib, time
pathlib.Path("/opt/ml/model/weights").write_bytes(os.urandom(8 << 20))
print("written", flush=True)
deadline = time.time() + 60
while not pathlib.Path("/opt/ml/go").exists() and time.time() < deadline:
    time.sleep(0.02)
"""

needs_sandbox = pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    started = Platform(tmp_path_factory.mktemp("remote") / "state", *ENGINE).up()
    yield started
    started.down()


def channel(uri: str) -> dict[str, Any]:
    return {"ChannelName": "train", "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}}


def members(platform: Platform, uri: str) -> dict[str, bytes]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    packed = platform.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}  # type: ignore[union-attr]


def test_from_training_to_predictions(remote: Platform) -> None:
    script = (
        "import pathlib\nmodel = pathlib.Path('/opt/ml/model')\n(model / 'code').mkdir()\n"
        "(model / 'word.txt').write_text(pathlib.Path('/opt/ml/input/data/train/word').read_text())\n"
        f"(model / 'code/inference.py').write_text({INFERENCE!r})\n"
    )
    uri = put(remote, f"{unique('data')}/word", "hello").rpartition("/")[0]
    job = run_job(remote, script, InputDataConfig=[channel(uri)])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [t["Status"] for t in job["SecondaryStatusTransitions"]][-2:] == ["Uploading", "Completed"]
    endpoint = Endpoint(remote)
    model = endpoint.model("unused", ModelDataUrl=job["ModelArtifacts"]["S3ModelArtifacts"])
    assert endpoint.create(endpoint.config(("All", model, 1.0)))["EndpointStatus"] == "InService"
    assert endpoint.ask("world") == "hello:world"


def test_objects_are_transformed_and_their_answers_brought(remote: Platform) -> None:
    bench = Bench(remote)
    base = bench.put({"a.csv": "1\n2\n", "deep/b.csv.gz": "3\n", "c": "raise"})
    job = bench.run(bench.model(), base, count=2, given={"SplitType": "Line"}, wanted={"AssembleWith": "Line"})
    assert job["FailureReason"].startswith("AlgorithmError: See job logs for more information. "), job
    assert bench.kept(base) == {"a.csv.out": "w:1\nw:2\n", "deep/b.csv.gz.out": "w:3\n"}


def test_a_replica_that_dies_is_replaced_at_another_address(remote: Platform) -> None:
    endpoint = Endpoint(remote)
    endpoint.create(endpoint.config(("All", endpoint.model("one"), 1.0)))
    assert endpoint.ask("a") == "one:a"
    with pytest.raises(endpoint.runtime.exceptions.ClientError):
        endpoint.ask("die")

    def answers() -> bool:
        try:
            return endpoint.ask("b") == "one:b"
        except endpoint.runtime.exceptions.ClientError:
            return False

    wait_until(answers)


def test_keys_of_all_kinds_become_files(remote: Platform) -> None:
    prefix = unique("odd")
    contents = {"plain.csv": "x" * 100_000, "a b+c&d=e": "1", "é/ü?.txt": "22", "%41": "333", "empty": "", "dir/": ""}
    for key, content in contents.items():
        put(remote, f"{prefix}/{key}", content)
    job = run_job(remote, LISTS, InputDataConfig=[channel(f"s3://{BUCKET}/{prefix}/")])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = {line for line in log_lines(remote, job["TrainingJobName"]) if line.startswith("found")}
    files = {f"found {key!r} {len(content)}" for key, content in contents.items() if not key.endswith("/")}
    assert found == files | {"found 'dir' directory", "found 'é' directory"}
    stored = remote.client("s3").get_object(Bucket=BUCKET, Key=f"{prefix}/plain.csv")["Body"].read()
    assert stored == b"x" * 100_000


def test_pipes_are_fed_by_url(remote: Platform) -> None:
    prefix, body = unique("pipe"), os.urandom(3_000_000)
    put(remote, f"{prefix}/a.gz", gzip.compress(body))
    put(remote, f"{prefix}/b.gz", gzip.compress(b"end"))
    script = """
import hashlib
for epoch in range(2):
    print("epoch", hashlib.sha256(open(f"/opt/ml/input/data/train_{epoch}", "rb").read()).hexdigest())
"""
    given = {**channel(f"s3://{BUCKET}/{prefix}/"), "InputMode": "Pipe", "CompressionType": "Gzip"}
    job = run_job(remote, script, InputDataConfig=[given])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = [line for line in log_lines(remote, job["TrainingJobName"]) if line.startswith("epoch")]
    assert lines == [f"epoch {hashlib.sha256(body + b'end').hexdigest()}"] * 2


def test_what_several_leave_is_one_archive_and_nothing_else_stays(remote: Platform) -> None:
    script = (
        "import os, pathlib\nhost = os.environ['SM_CURRENT_HOST']\npathlib.Path('/opt/ml/model', host).write_text(host)"
    )
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    job = run_job(remote, script, ResourceConfig=resources)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    found = members(remote, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert found == {"algo-1": b"algo-1", "algo-2": b"algo-2"}
    collected = remote.state / "collected"
    wait_until(lambda: not any(collected.iterdir()))


def test_what_is_on_its_way_is_nobodys_to_see(remote: Platform) -> None:
    run_job(remote, "open('/opt/ml/model/x', 'w').write('x')")
    s3 = remote.client("s3", parameter_validation=False)
    assert OWN_BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.list_objects_v2(Bucket=OWN_BUCKET)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        s3.put_object(Bucket=OWN_BUCKET, Key="outputs/x", Body=b"")


def test_a_bucket_that_is_not_there_is_named(remote: Platform) -> None:
    job = run_job(
        remote,
        "open('/opt/ml/model/x', 'w').write('x')",
        OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-anywhere/out"},
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert "Failed to upload artifacts" in job["FailureReason"]
    assert "no-such-bucket-anywhere" in job["FailureReason"]


LEAVES = """
import json, os, pathlib
host = json.load(open("/opt/ml/config/resourceconfig.json"))["current_host"]
out = pathlib.Path("/opt/ml/processing/out")
(out / "deep" / host).mkdir(parents=True)
(out / "deep" / host / "é b+c&d?.csv").write_text(pathlib.Path("/opt/ml/processing/in/x").read_text() + host)
(out / "same").write_text(host)
(out / "empty").write_text("")
(out / "link").symlink_to("same")
os.mkfifo(out / "fifo")
for number in range(60):
    (out / f"many-{host}-{number}").write_text(str(number))
"""


def leaves(platform: Platform, script: str, **changes: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A job of two instances that run `script`, and what is stored of its outputs by then."""
    base = unique("left")
    source = {"S3Uri": put(platform, f"{base}/in/x", "in-"), "LocalPath": "/opt/ml/processing/in"}
    request = asked(
        platform,
        script,
        ProcessingInputs=[{"InputName": "in", "S3Input": {**source, "S3DataType": "S3Prefix"}}],
        ProcessingOutputConfig=written(f"s3://{BUCKET}/{base}/out", "/opt/ml/processing/out"),
        **changes,
    )
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    return run(platform, request), stored(platform, f"{base}/out/")


def test_directories_come_back_file_by_file(remote: Platform) -> None:
    job, found = leaves(remote, LEAVES)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    many = {f"many-{host}-{number}": str(number) for host in ("algo-1", "algo-2") for number in range(60)}
    deep = {f"deep/{host}/é b+c&d?.csv": f"in-{host}" for host in ("algo-1", "algo-2")}
    assert found == {**many, **deep, "same": "algo-2", "empty": ""}
    wait_until(lambda: not any((remote.state / "collected").iterdir()))


def test_what_a_failed_job_left_comes_back_too(remote: Platform) -> None:
    job, found = leaves(remote, "open('/opt/ml/processing/out/part', 'w').write('part')\nraise SystemExit('broke')")
    assert job["ProcessingJobStatus"] == "Failed"
    assert "broke" in job["FailureReason"]
    assert found == {"part": "part"}


def test_a_job_that_leaves_nothing_completes(remote: Platform) -> None:
    job, found = leaves(remote, "print('nothing')")
    assert (job["ProcessingJobStatus"], found) == ("Completed", {})


def test_traffic_between_machines_is_not_said_to_be_encrypted(remote: Platform) -> None:
    sagemaker, encrypted = remote.client("sagemaker"), {"EnableInterContainerTrafficEncryption": True}
    two = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
    refusal = "EnableInterContainerTrafficEncryption of a job whose instances may be on several machines is not built"
    with pytest.raises(ClientError, match=refusal):
        sagemaker.create_training_job(**training_request(remote, "", ResourceConfig=two, **encrypted))
    with pytest.raises(ClientError, match=refusal):
        sagemaker.create_processing_job(
            **asked(remote, "", NetworkConfig=encrypted, ProcessingResources={"ClusterConfig": two})
        )


def test_one_that_is_alone_has_nobody_to_talk_to(remote: Platform) -> None:
    assert run_job(remote, "", EnableInterContainerTrafficEncryption=True)["TrainingJobStatus"] == "Completed"


def test_a_job_that_ends_while_the_platform_is_away_loses_nothing(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "state", *ENGINE).up()
    try:
        request = training_request(platform, WAITS)
        name = request["TrainingJobName"]
        platform.client("sagemaker").create_training_job(**request)
        (log,) = wait_until(lambda: [p for p in (tmp_path / "state/instances").glob("*/log") if says(p, "written")])
        platform.kill()
        (log.parent / "ml/go").touch()
        wait_until(lambda: says(log, "The upload of model.tar.gz waits: Connection refused"))
        job = ended(platform.up(), name)
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert len(members(platform, job["ModelArtifacts"]["S3ModelArtifacts"])["weights"]) == 8 << 20
    finally:
        platform.down()


@pytest.fixture
def own(tmp_path: Path) -> Built:
    """An image that nobody has had yet."""
    train = script(f"echo {unique('trained')} > /opt/ml/model/word; cat /opt/ml/input/data/train/x")
    return build(tmp_path / "own", [busybox_layer(), layer({"/usr/bin/train": train})], Env=["PATH=/usr/bin:/bin"])


def train_own(platform: Platform, uri: str) -> dict[str, Any]:
    data = put(platform, f"{unique('data')}/x", "given").rpartition("/")[0]
    algorithm = {"TrainingImage": uri, "TrainingInputMode": "File"}
    return run_job(platform, "", AlgorithmSpecification=algorithm, InputDataConfig=[channel(data)])


@needs_sandbox
def test_an_own_image_comes_from_the_registry_by_url(remote: Platform, own: Built) -> None:
    job = train_own(remote, push(remote, own, unique("team/own"), "v1"))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert members(remote, job["ModelArtifacts"]["S3ModelArtifacts"])["word"].startswith(b"trained")
    assert "given" in log_lines(remote, job["TrainingJobName"])


@needs_sandbox
def test_an_own_image_serves_on_another_machine(remote: Platform, tmp_path: Path) -> None:
    serve = layer({"/usr/bin/serve": script(SERVE, "/usr/bin/python3")})
    built = build(tmp_path / "own", [python_layer(), serve], Env=["PATH=/usr/bin:/bin"])
    data = put(remote, f"{unique('model')}/model.tar.gz", tar_gz({"weights": "w"}))
    endpoint = Endpoint(remote)
    model = endpoint.model("unused", ModelDataUrl=data, Image=push(remote, built, unique("team/own"), "v1"))
    told = endpoint.create(endpoint.config(("All", model, 1.0)))
    assert told["EndpointStatus"] == "InService", told.get("FailureReason")
    assert endpoint.ask("asked").endswith(" w asked")


@needs_sandbox
def test_layers_that_are_not_what_their_digest_says_are_refused(remote: Platform, own: Built) -> None:
    uri = push(remote, own, unique("team/own"), "v1")
    changed = own.image.layers[-1]
    (stored,) = (
        path
        for path in (remote.state / "objects").rglob("*")
        if path.is_file()
        and path.stat().st_size == changed.size
        and path.read_bytes() == Path(changed.location).read_bytes()
    )
    content = bytearray(stored.read_bytes())
    content[-1] ^= 1
    stored.chmod(0o600)
    stored.write_bytes(content)
    job = train_own(remote, uri)
    assert job["TrainingJobStatus"] == "Failed"
    assert changed.digest in job["FailureReason"]


def says(log: Path, text: str) -> bool:
    return log.exists() and text in log.read_text()


def test_checkpoints_are_stored_while_the_platform_comes_and_goes(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "state", *ENGINE).up()
    try:
        prefix = unique("checkpoints")
        config = {"S3Uri": f"s3://{BUCKET}/{prefix}"}
        script = WAITS.replace("/opt/ml/model", "/opt/ml/checkpoints")
        request = training_request(platform, script, CheckpointConfig=config)
        platform.client("sagemaker").create_training_job(**request)
        (log,) = wait_until(lambda: [p for p in (tmp_path / "state/instances").glob("*/log") if says(p, "written")])
        platform.kill()
        (log.parent / "ml/go").touch()
        wait_until(lambda: says(log, "The upload of /opt/ml/checkpoints waits: Connection refused"))
        platform.up()
        assert ended(platform, request["TrainingJobName"])["TrainingJobStatus"] == "Completed"
        [found] = platform.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
        assert (found["Key"], found["Size"]) == (f"{prefix}/weights", 8 << 20)
        script = "import os; print('found', os.path.getsize('/opt/ml/checkpoints/weights'), flush=True)"
        job = run_job(platform, script, CheckpointConfig=config)
        assert f"found {8 << 20}" in log_lines(platform, job["TrainingJobName"])
    finally:
        platform.down()
