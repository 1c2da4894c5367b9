"""Scripts that train together on several instances by PyTorch, in its real environment."""

import json
from typing import Any

import pytest

from tests.platform import Platform
from tests.programs import ended, log_lines, training_request
from tests.services.sagemaker.training.test_clusters import TWO
from tests.services.sagemaker.training.test_training_jobs import unpack

pytestmark = pytest.mark.slow

PYTORCH = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.13.0-cpu-py311"
"""The version that a build without CUDA is at hand of."""
TORCHRUN = {"sagemaker_torch_distributed_enabled": "true"}
PATIENCE = 240.0
"""Seconds for a job, whose first may have to install PyTorch."""
DDP = """
import json, os, torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

rank, size = 0, 1
if "RANK" in os.environ:
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
torch.manual_seed(7)
features = torch.randn(64, 5)
targets = features @ torch.arange(1.0, 6.0) + 0.1 * torch.randn(64)
model = torch.nn.Linear(5, 1)
parallel = DistributedDataParallel(model) if size > 1 else model
optimizer = torch.optim.SGD(parallel.parameters(), lr=0.05)
for step in range(40):
    batch = slice(16 * (step % 4), 16 * (step % 4) + 16)
    x, y = features[batch][rank::size], targets[batch][rank::size]
    optimizer.zero_grad()
    loss = ((parallel(x).squeeze(1) - y) ** 2).mean()
    loss.backward()
    optimizer.step()
print(f"rank {rank} of {size}: loss {loss.item():.5f} on {len(x)} rows", flush=True)
weights = [value for parameter in model.parameters() for value in parameter.flatten().tolist()]
with open(f"/opt/ml/model/rank-{rank}.json", "w") as file:
    json.dump(weights, file)
if size > 1:
    dist.destroy_process_group()
"""


def run_pytorch(platform: Platform, script: str, **changes: Any) -> dict[str, Any]:
    specification = {"TrainingImage": PYTORCH, "TrainingInputMode": "File"}
    request = training_request(platform, script, AlgorithmSpecification=specification, **changes)
    platform.client("sagemaker").create_training_job(**request)
    return ended(platform, request["TrainingJobName"], PATIENCE)


def weights(platform: Platform, job: dict[str, Any]) -> dict[str, list[float]]:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    files = unpack(platform, job["ModelArtifacts"]["S3ModelArtifacts"])
    return {name: json.loads(content) for name, content in files.items()}


def test_gradients_of_two_instances_are_averaged(platform: Platform) -> None:
    alone = weights(platform, run_pytorch(platform, DDP))["rank-0.json"]
    job = run_pytorch(platform, DDP, ResourceConfig=TWO, HyperParameters=TORCHRUN)
    together = weights(platform, job)
    assert set(together) == {"rank-0.json", "rank-1.json"}
    assert together["rank-0.json"] == together["rank-1.json"]
    assert together["rank-0.json"] == pytest.approx(alone, abs=1e-5)
    lines = log_lines(platform, job["TrainingJobName"])
    assert any("rank 1 of 2" in line and "on 8 rows" in line for line in lines)


def test_the_script_that_failed_is_named_with_its_own_exception(platform: Platform) -> None:
    script = """
import time, torch.distributed as dist
dist.init_process_group("gloo")
if dist.get_rank() == 1:
    raise ValueError("no more rows")
time.sleep(600)
"""
    job = run_pytorch(platform, script, ResourceConfig=TWO, HyperParameters=TORCHRUN)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: algo-2: ")
    assert "ValueError: no more rows" in job["FailureReason"]
