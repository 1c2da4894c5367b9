"""What a job's data costs before the program reads it, and how fast it comes through a pipe.

    python -m benchmarks.channels [GB]

One object of 2 GB (`GB`), in the platform's own store. A job that has it for its File channel, beside `cp` of the
same bytes: the seconds of `Downloading`, and what the state directory holds more than before while the job runs. The
same object through Pipe mode, read by a job in chunks of 1 MiB, beside `cat` into a pipe that is read alike.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.platform import Platform
from tests.programs import BUCKET, SKLEARN, ended, log_lines, run_job, training_request, wait_until

CHUNK = 1 << 20
WAIT = "import time; time.sleep(600)"
READ = """
import time
began, size = time.monotonic(), 0
with open("/opt/ml/input/data/train_0", "rb", buffering=0) as pipe:
    while chunk := pipe.read(1 << 20):
        size += len(chunk)
print("rate", size / (time.monotonic() - began) / 1e6)
"""


def channel(**members: Any) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/channel/object"}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": source}, **members}


def make(path: Path, size: int) -> None:
    block = os.urandom(CHUNK)
    with path.open("wb") as file:
        for _ in range(size // CHUNK):
            file.write(block)


def upload(platform: Platform, path: Path) -> None:
    s3 = platform.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.upload_file(str(path), BUCKET, "channel/object")


def used(directory: Path) -> int:
    """Bytes on the disk; what has several names counts once, what goes away meanwhile not at all."""
    command = ["du", "-s", "-B1", str(directory)]
    counted = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return int(counted.stdout.split()[0])


def stage(platform: Platform) -> tuple[float, int]:
    """Seconds of `Downloading`, and bytes that a running job takes of the disk."""
    sagemaker, before = platform.client("sagemaker"), used(platform.state)
    request = training_request(platform, WAIT, InputDataConfig=[channel()])
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Training")
    taken = used(platform.state) - before
    sagemaker.stop_training_job(TrainingJobName=name)
    passages = {each["Status"]: each for each in ended(platform, name)["SecondaryStatusTransitions"]}
    downloading = passages["Downloading"]
    return (downloading["EndTime"] - downloading["StartTime"]).total_seconds(), taken


def copy(path: Path) -> tuple[float, int]:
    target, began = path.with_suffix(".copy"), time.monotonic()
    subprocess.run(["cp", "--reflink=never", str(path), str(target)], check=True)
    seconds, taken = time.monotonic() - began, used(target)
    target.unlink()
    return seconds, taken


def pipe(platform: Platform, **members: Any) -> float:
    """Megabytes a second."""
    specification = {"TrainingImage": SKLEARN, "TrainingInputMode": "Pipe"}
    job = run_job(platform, READ, AlgorithmSpecification=specification, InputDataConfig=[channel(**members)])
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    line = next(line for line in log_lines(platform, job["TrainingJobName"]) if line.startswith("rate"))
    return float(line.split()[1])


def cat(path: Path) -> float:
    began = time.monotonic()
    with subprocess.Popen(["cat", str(path)], stdout=subprocess.PIPE) as program:
        assert program.stdout
        while os.read(program.stdout.fileno(), CHUNK):
            pass
    return path.stat().st_size / (time.monotonic() - began) / 1e6


def main() -> None:
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else 2) * 1e9) // CHUNK * CHUNK
    directory = Path(tempfile.mkdtemp(prefix="channels-"))
    platform = Platform(directory / "state").up()
    try:
        make(directory / "object", size)
        upload(platform, directory / "object")
        # The image's environment is made by the first job.
        stage(platform)
        table = Table("", "seconds", "MB of the disk", title=f"{size / 1e9:.3g} GB before the program starts")
        for name, (seconds, taken) in {"File channel": stage(platform), "cp": copy(directory / "object")}.items():
            table.add_row(name, f"{seconds:.3f}", f"{taken / 1e6:.1f}")
        rates = Table("", "MB/s", title="through a pipe, best of 3")
        rates.add_row("Pipe channel", f"{max(pipe(platform) for _ in range(3)):.0f}")
        if size < 1 << 29:
            rates.add_row("as a record", f"{max(pipe(platform, RecordWrapperType='RecordIO') for _ in range(3)):.0f}")
        rates.add_row("cat", f"{max(cat(directory / 'object') for _ in range(3)):.0f}")
        Console().print(table, rates)
    finally:
        platform.down()
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
