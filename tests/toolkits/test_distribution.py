"""How the script-mode runner launches a script of several instances. `torchrun` is a stand-in that tells how it was
called; the real one trains in `tests/services/sagemaker/training/test_distributed.py`."""

import json
import re

import pytest

from clary.toolkits.train import last_exception
from tests.toolkits.container import RESOURCES, Container

TRAIN = "clary.toolkits.train"
STAND_IN = """
import json, os, sys
names = ("MASTER_ADDR", "MASTER_PORT", "GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME", "TF_CONFIG", "SM_HOSTS")
seen = {"argv": sys.argv[1:], "variables": {name: os.environ[name] for name in names if name in os.environ}}
json.dump(seen, open(os.environ["SM_MODEL_DIR"] + "/report", "w"))
"""
HOSTS = ["algo-1", "algo-2"]
GROUP = {"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": HOSTS}


@pytest.fixture
def second(container: Container) -> Container:
    """The second instance of two."""
    cluster = {"current_host": "algo-2", "hosts": HOSTS, "instance_groups": [GROUP], "network_interface_name": "lo"}
    container.configure("resourceconfig", {**RESOURCES, **cluster})
    package = container.root / "stand-in" / "torch" / "distributed"
    package.mkdir(parents=True)
    for name in ("__init__.py", "distributed/__init__.py"):
        (package.parent / name).touch()
    (package / "run.py").write_text(STAND_IN)
    container.code("train.py", STAND_IN)
    return container


def launched(container: Container, **hyperparameters: str) -> dict[str, dict[str, str]]:
    container.configure("hyperparameters", {"sagemaker_program": "train.py", "rate": "0.1", **hyperparameters})
    path = f"{container.root}/stand-in:{container.environment()['PYTHONPATH']}"
    status, output = container.run(TRAIN, PYTHONPATH=path)
    assert status == 0, output
    seen: dict[str, dict[str, str]] = json.loads((container.root / "model/report").read_text())
    return seen


@pytest.mark.parametrize(
    "asked",
    [
        "sagemaker_torch_distributed_enabled",
        "sagemaker_pytorch_ddp_enabled",
        "sagemaker_distributed_dataparallel_enabled",
    ],
)
def test_torchrun_runs_on_every_instance(second: Container, asked: str) -> None:
    seen = launched(second, **{asked: "true"})
    assert seen["argv"] == [
        *("--nnodes", "2", "--nproc_per_node", "1"),
        *("--master_addr", "algo-1", "--master_port", "7777", "--node_rank", "1"),
        *("train.py", "--rate", "0.1"),
    ]
    assert seen["variables"] == {
        "MASTER_ADDR": "algo-1",
        "MASTER_PORT": "7777",
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
        "SM_HOSTS": '["algo-1","algo-2"]',
    }


def test_without_a_launcher_the_script_knows_its_master(second: Container) -> None:
    seen = launched(second, sagemaker_torch_distributed_enabled="false")
    assert seen["argv"] == ["--rate", "0.1"]
    assert seen["variables"]["MASTER_ADDR"] == "algo-1"


def test_groups_outside_of_the_distribution_run_the_script_itself(second: Container) -> None:
    groups = [
        {**GROUP, "instance_group_name": "learners", "hosts": ["algo-1"]},
        {**GROUP, "instance_group_name": "others", "hosts": ["algo-2"]},
    ]
    cluster = {"current_host": "algo-2", "hosts": HOSTS, "instance_groups": groups, "current_group_name": "others"}
    second.configure("resourceconfig", {**RESOURCES, **cluster})
    asked = {"sagemaker_torch_distributed_enabled": "true", "sagemaker_distribution_instance_groups": '["learners"]'}
    assert launched(second, **asked)["argv"] == ["--rate", "0.1"]


def test_tensorflows_workers_are_told_of_each_other(second: Container) -> None:
    seen = launched(second, sagemaker_multi_worker_mirrored_strategy_enabled="true")
    assert seen["argv"] == ["--rate", "0.1"]
    assert json.loads(seen["variables"]["TF_CONFIG"]) == {
        "cluster": {"worker": ["algo-1:8890", "algo-2:8890"]},
        "environment": "cloud",
        "task": {"type": "worker", "index": 1},
    }


@pytest.mark.parametrize(
    ("hyperparameters", "named"),
    [
        ({"sagemaker_parameter_server_enabled": "true"}, "distribution parameter_server .* is not built"),
        ({"sagemaker_torch_distributed_enabled": "true", "sagemaker_program": "train.sh"}, "no package or shell"),
    ],
)
def test_what_cannot_be_launched_is_named(second: Container, hyperparameters: dict[str, str], named: str) -> None:
    second.configure("hyperparameters", {"sagemaker_program": "train.py", **hyperparameters})
    status, _ = second.run(TRAIN)
    assert status == 1
    assert second.failure is not None
    assert re.search(named, second.failure)


def test_an_image_without_pytorch_is_told(second: Container) -> None:
    second.configure(
        "hyperparameters", {"sagemaker_program": "train.py", "sagemaker_torch_distributed_enabled": "true"}
    )
    status, _ = second.run(TRAIN)
    assert status == 1
    assert "this image has no PyTorch" in str(second.failure)


def test_a_machine_without_open_mpi_is_told(second: Container) -> None:
    second.configure("hyperparameters", {"sagemaker_program": "train.py", "sagemaker_mpi_enabled": "true"})
    status, _ = second.run(TRAIN, PATH="/nowhere")
    assert status == 1
    assert "install Debian's package openmpi-bin" in str(second.failure)


def test_the_launchers_own_traceback_is_not_the_reason() -> None:
    output = """Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 5, in <module>
    raise ValueError("no more rows")
ValueError: no more rows
E1127 16:14:00.000000 7 torch/distributed/elastic/multiprocessing/api.py:900] failed (exitcode: 1) local_rank: 0
Traceback (most recent call last):
  File "<frozen runpy>", line 198, in _run_module_as_main
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
"""
    assert last_exception(output) == "ValueError: no more rows"
