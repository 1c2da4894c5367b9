"""s3fs and pyarrow, which treat S3 as a file system, each as a program in the benchmarks' environment."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.platform import Platform

PYTHON = Path(__file__).parents[3] / ".cache" / "clients" / "bench" / "bin" / "python"

S3FS = """
import s3fs
fs = s3fs.S3FileSystem()
fs.mkdir("s3fs-bucket")
with fs.open("s3fs-bucket/dir/large.bin", "wb", block_size=5 << 20) as file:
    for number in range(12):
        file.write(bytes([number]) * (1 << 20))
fs.pipe("s3fs-bucket/dir/a b+ü.txt", b"small")
assert fs.cat("s3fs-bucket/dir/a b+ü.txt") == b"small"
assert fs.info("s3fs-bucket/dir/large.bin")["size"] == 12 << 20
with fs.open("s3fs-bucket/dir/large.bin", "rb") as file:
    file.seek((11 << 20) - 1)
    assert file.read(2) == bytes([10, 11])
fs.copy("s3fs-bucket/dir/large.bin", "s3fs-bucket/copy/large.bin")
fs.invalidate_cache()
assert fs.ls("s3fs-bucket/dir", detail=False) == ["s3fs-bucket/dir/a b+ü.txt", "s3fs-bucket/dir/large.bin"]
assert fs.find("s3fs-bucket") == ["s3fs-bucket/copy/large.bin", *fs.ls("s3fs-bucket/dir", detail=False)]
fs.mv("s3fs-bucket/dir/large.bin", "s3fs-bucket/moved.bin")
assert not fs.exists("s3fs-bucket/dir/large.bin")
fs.rm("s3fs-bucket", recursive=True)
assert not fs.exists("s3fs-bucket")
"""

PYARROW = """
import os
import pyarrow
import pyarrow.dataset
import pyarrow.parquet
from pyarrow import fs
s3 = fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"], region="us-east-1",
                     allow_bucket_creation=True, allow_bucket_deletion=True)
s3.create_dir("arrow-bucket/tables")
table = pyarrow.table({"part": [n % 3 for n in range(300_000)], "value": range(300_000)})
pyarrow.parquet.write_table(table, "arrow-bucket/tables/whole.parquet", filesystem=s3)
assert pyarrow.parquet.read_table("arrow-bucket/tables/whole.parquet", filesystem=s3).equals(table)
pyarrow.dataset.write_dataset(table, "arrow-bucket/parts", filesystem=s3, format="parquet", partitioning=["part"])
assert pyarrow.dataset.dataset("arrow-bucket/parts", filesystem=s3, partitioning=["part"]).count_rows() == 300_000
with s3.open_output_stream("arrow-bucket/stream.bin") as stream:
    for number in range(30):
        stream.write(bytes([number]) * (1 << 20))
with s3.open_input_file("arrow-bucket/stream.bin") as file:
    assert file.size() == 30 << 20
    assert file.read_at(2, (29 << 20) - 1) == bytes([28, 29])
found = s3.get_file_info(fs.FileSelector("arrow-bucket/parts", recursive=True))
assert sum(info.is_file for info in found) == 3
s3.delete_dir("arrow-bucket")
"""


@pytest.mark.slow
@pytest.mark.clients
@pytest.mark.parametrize(("package", "program"), [("s3fs", S3FS), ("pyarrow", PYARROW)])
def test_a_file_system_over_s3(platform: Platform, package: str, program: str) -> None:
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", f"import {package}"], capture_output=True).returncode:
        pytest.skip(f"{package} is not installed: make bench-environment")
    access_key, secret_key = platform.keys()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": platform.url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    ended = subprocess.run([PYTHON, "-c", program], env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
