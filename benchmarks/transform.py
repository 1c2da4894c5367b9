"""P7: what is left of a model's own rate when a batch transform job asks it?

`predict` in one process: a script in the same image, as a processing job, reads the same files, predicts and writes
what the transform job writes; its time runs from the first file until the last is written. The transform job's time
runs from when its model answers until it has ended; what comes before is its start, printed apart.
"""

import csv
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.platform import Platform

from benchmarks.invocations import BUCKET, DATA, IMAGE, NAME, ROLE, SEXES, train

GOAL = 0.8
OBJECTS = 4
TURNS = 3
GROUP = "/aws/sagemaker/TransformJobs"
INPUT, OUTPUT = "/opt/ml/processing/input", "/opt/ml/processing/output"
PREDICT = f"""
import glob, os, tarfile, time
import numpy, pandas, xgboost

with tarfile.open(glob.glob("{INPUT}/model/*")[0]) as archive:
    archive.extractall("/tmp/model", filter="data")
booster = xgboost.Booster()
with open(glob.glob("/tmp/model/*")[0], "rb") as file:
    booster.load_model(bytearray(file.read()))
began = time.perf_counter()
for path in sorted(glob.glob("{INPUT}/rows/*")):
    rows = pandas.read_csv(path, header=None, dtype=numpy.float32).to_numpy()
    found = booster.inplace_predict(rows).tolist()
    with open(os.path.join("{OUTPUT}", os.path.basename(path) + ".out"), "w") as file:
        file.write("\\n".join(map(str, found)) + "\\n")
seconds = time.perf_counter() - began
os.makedirs("/opt/ml/output", exist_ok=True)
with open("/opt/ml/output/message", "w") as file:
    file.write(str(seconds))
"""


def put_rows(platform: Platform, copies: int) -> int:
    """Store the abalones so often, in a few objects; returns how many records they are."""
    with DATA.open() as lines:
        rows = [",".join([SEXES[sex], *measures[:-1]]) for sex, *measures in csv.reader(lines)]
    body = ("\n".join(rows) + "\n").encode() * copies
    for number in range(OBJECTS):
        platform.client("s3").put_object(Bucket=BUCKET, Key=f"rows/{number}.csv", Body=body)
    return len(rows) * copies * OBJECTS


def in_one_process(platform: Platform, name: str, artifacts: str) -> float:
    """Seconds."""
    platform.client("s3").put_object(Bucket=BUCKET, Key="code/predict.py", Body=PREDICT.encode())
    inputs = {"code": f"s3://{BUCKET}/code/predict.py", "rows": f"s3://{BUCKET}/rows/", "model": artifacts}
    sagemaker = platform.client("sagemaker")
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        ProcessingInputs=[
            {
                "InputName": each,
                "S3Input": {
                    "S3Uri": uri,
                    "LocalPath": f"{INPUT}/{each}",
                    "S3DataType": "S3Prefix",
                    "S3InputMode": "File",
                },
            }
            for each, uri in inputs.items()
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {"S3Uri": f"s3://{BUCKET}/{name}", "LocalPath": OUTPUT, "S3UploadMode": "EndOfJob"},
                }
            ]
        },
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        AppSpecification={"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", f"{INPUT}/code/predict.py"]},
        RoleArn=ROLE,
    )
    waiter = sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    return float(sagemaker.describe_processing_job(ProcessingJobName=name)["ExitMessage"])


def transformed(platform: Platform, name: str, **changes: Any) -> tuple[float, float]:
    """Seconds until the model answered, and from then on."""
    sagemaker = platform.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/rows/"}
    sagemaker.create_transform_job(
        TransformJobName=name,
        ModelName=NAME,
        TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{name}", "AssembleWith": "Line", "Accept": "text/csv"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    )
    waiter = sagemaker.get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    job = sagemaker.describe_transform_job(TransformJobName=name)
    began = _answered(platform, name)
    return began - job["CreationTime"].timestamp(), job["TransformEndTime"].timestamp() - began


def _answered(platform: Platform, name: str) -> float:
    """When the parameters were told, which is once the model answers."""
    [event] = platform.client("logs").filter_log_events(
        logGroupName=GROUP, logStreamNamePrefix=f"{name}/", filterPattern="MaxConcurrentTransforms"
    )["events"]
    return datetime.fromisoformat(f"{event['message'].partition(':[')[0]}+00:00").timestamp()


def same(platform: Platform, one: str, other: str) -> bool:
    s3 = platform.client("s3")
    keys = [f"{number}.csv.out" for number in range(OBJECTS)]
    return all(
        s3.get_object(Bucket=BUCKET, Key=f"{one}/{key}")["Body"].read()
        == s3.get_object(Bucket=BUCKET, Key=f"{other}/{key}")["Body"].read()
        for key in keys
    )


def main(copies: int) -> None:
    table = Table("", "start s", "s", "records/s", f"ratio (goal {GOAL})")
    joined = {"DataProcessing": {"JoinSource": "Input"}}
    with tempfile.TemporaryDirectory() as directory:
        platform = Platform(Path(directory, "state")).up()
        try:
            artifacts = train(platform)
            model = {"Image": IMAGE, "ModelDataUrl": artifacts}
            platform.client("sagemaker").create_model(ModelName=NAME, PrimaryContainer=model, ExecutionRoleArn=ROLE)
            records = put_rows(platform, copies)
            table.title = f"{records:,} rows of CSV in {OBJECTS} objects, median of {TURNS} turns"
            turns = []
            for turn in range(TURNS):
                bare = in_one_process(platform, f"bare-{turn}", artifacts)
                plain = transformed(platform, f"plain-{turn}")
                both = transformed(platform, f"joined-{turn}", **joined)
                turns.append((bare, plain, both))
            assert same(platform, "bare-0", "plain-0"), "the predictions differ"
        finally:
            platform.down()
    middle = TURNS // 2
    base = sorted(turn[0] for turn in turns)[middle]
    table.add_row("predict in one process", "", f"{base:.2f}", f"{records / base:,.0f}", "1.00")
    for number, title in ((1, "transform job"), (2, "… that joins its input")):
        start, seconds = sorted((turn[number] for turn in turns), key=lambda found: found[1])[middle]
        # Pairs, since a machine that has other things to do slows both.
        ratio = sorted(turn[0] / turn[number][1] for turn in turns)[middle]
        table.add_row(title, f"{start:.2f}", f"{seconds:.2f}", f"{records / seconds:,.0f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
