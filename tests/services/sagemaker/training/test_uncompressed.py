"""OutputDataConfig.CompressionType NONE: what a job leaves goes to S3 as the files that it is."""

from typing import Any

from tests.platform import Platform
from tests.programs import BUCKET, run_job, unique
from tests.services.sagemaker.training.test_clusters import TWO

LEAVES = """
import pathlib, socket
host, model, data = socket.gethostname(), pathlib.Path("/opt/ml/model"), pathlib.Path("/opt/ml/output/data")
data.mkdir(parents=True, exist_ok=True)
(model / "deep").mkdir()
(model / "deep" / host).write_text(host)
(model / "same").write_text(host)
(data / f"{host}.txt").write_text("notes")
"""


def stored(platform: Platform, prefix: str) -> dict[str, str]:
    s3 = platform.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
        for item in found
    }


def run(platform: Platform, script: str, **changes: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The job, and what it left by key."""
    place = unique("out")
    output = {"S3OutputPath": f"s3://{BUCKET}/{place}", "CompressionType": "NONE"}
    job = run_job(platform, script, OutputDataConfig=output, **changes)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    return job, stored(platform, f"{place}/{job['TrainingJobName']}/output/")


def test_files_of_all_instances_lie_below_one_prefix(platform: Platform) -> None:
    job, left = run(platform, LEAVES, ResourceConfig=TWO)
    assert left == {
        "model/deep/algo-1": "algo-1",
        "model/deep/algo-2": "algo-2",
        "model/same": "algo-1",
        "data/algo-1.txt": "notes",
        "data/algo-2.txt": "notes",
    }
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith(f"/{job['TrainingJobName']}/output/model/")
    assert job["OutputDataConfig"]["CompressionType"] == "NONE"


def test_a_job_that_leaves_nothing_has_no_model(platform: Platform) -> None:
    job, left = run(platform, "print('nothing')")
    assert left == {}
    assert not job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
