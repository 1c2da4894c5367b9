"""Training on two instances as users of both versions of the SDK write it."""

import re
from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform
from tests.programs import SKLEARN, log_lines

MODEL_TRAINER = """
import sys
from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.distributed import Torchrun

directory, image, launcher = sys.argv[1:]
trainer = ModelTrainer(
    training_image=image,
    source_code=SourceCode(source_dir=directory, entry_script="train.py"),
    distributed=Torchrun() if launcher == "torchrun" else None,
    compute=Compute(instance_type="ml.m5.large", instance_count=2),
    base_job_name="two-trainers",
    role="arn:aws:iam::123456789012:role/SageMakerRole",
    sagemaker_session=Session(),
)
trainer.train(logs=True)
"""
GREET = """
import os, socket, time
me, hosts = os.environ["SM_CURRENT_HOST"], ["algo-1", "algo-2"]
if me == "algo-1":
    with socket.create_server((me, 9000)) as server:
        print("heard", server.accept()[0].makefile().read(), "of", os.environ["SM_HOST_COUNT"], flush=True)
else:
    deadline = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("algo-1", 9000), timeout=5) as connection:
                connection.sendall(f"{me} of rank {os.environ['SM_CURRENT_HOST_RANK']}".encode())
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
"""
ALL_REDUCE = """
import torch, torch.distributed as dist
dist.init_process_group("gloo")
total = torch.tensor([float(dist.get_rank() + 1)])
dist.all_reduce(total)
print("rank", dist.get_rank(), "knows the sum", total.item(), flush=True)
dist.destroy_process_group()
"""
PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.13.0-cpu-py311"

pytestmark = pytest.mark.clients


def test_two_instances_train_one_model_by_host_name(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "distributed" / "two_instances.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    rows = {int(count) for count in re.findall(r"(\d+) of 3341 rows", printed)}
    assert sum(rows) == 3341
    assert len(rows) == 2
    trained, again, tested = errors_in_rings(printed)
    assert trained == again < 2.4
    assert tested < 2.4


def test_a_model_trainer_trains_on_two_instances(platform: Platform, tmp_path: Path) -> None:
    lines = train_v3(platform, tmp_path, GREET, SKLEARN, "none")
    assert "heard algo-2 of rank 1 of 2" in lines


@pytest.mark.slow
def test_a_model_trainer_brings_its_own_torchrun(platform: Platform, tmp_path: Path) -> None:
    lines = train_v3(platform, tmp_path, ALL_REDUCE, PYTORCH, "torchrun")
    assert "rank 0 knows the sum 3.0" in lines
    assert "rank 1 knows the sum 3.0" in lines


@pytest.mark.slow
def test_torch_distributed_trains_on_two_instances(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "distributed" / "pytorch_ddp.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    assert "rank 1 of 2 had 1671 of 3341 rows" in printed
    assert errors_in_rings(printed)[-1] < 2.4


def train_v3(platform: Platform, directory: Path, script: str, image: str, launcher: str) -> list[str]:
    """The log of a job of the SDK's `ModelTrainer`: the SDK itself shows none of a job as short as this."""
    source = directory / "source"
    source.mkdir()
    (source / "train.py").write_text(script)
    program = directory / "program.py"
    program.write_text(MODEL_TRAINER)
    command = [client_program("v3", "python"), str(program), str(source), image, launcher]
    run(command, platform.program_environment(), directory)
    jobs = platform.client("sagemaker").list_training_jobs(NameContains="two-trainers", SortOrder="Descending")
    return log_lines(platform, jobs["TrainingJobSummaries"][0]["TrainingJobName"])
