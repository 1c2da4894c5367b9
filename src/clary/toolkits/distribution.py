"""How the script of a job of several instances is launched: what `distribution=` of the SDK asks for.

    torch_distributed, pytorchddp        ─▶ torchrun on every instance, the first of them the master
    mpi                                  ─▶ mpirun on the first instance, the others wait for its commands (`mpi`)
    multi_worker_mirrored_strategy       ─▶ TF_CONFIG, and the script itself
    nothing                              ─▶ the script itself, which knows its peers by SM_HOSTS and MASTER_ADDR
    what there is no launcher for        ─▶ an error that names it

The hyperparameters are those that SDK v2 sends; ports, ranks and variables those that AWS's training toolkit and its
PyTorch and TensorFlow containers give. Version 3 of the SDK brings launchers of its own.
"""

import importlib.util
import json
import shlex
import shutil
import sys
from typing import cast

from clary.toolkits import mpi
from clary.toolkits.entry_point import ClientError
from clary.toolkits.environment import DISTRIBUTIONS, TrainingEnvironment

MASTER_PORT = "7777"
WORKER_PORT = "8890"
"""Of TensorFlow's workers."""
TORCHRUN = (
    "sagemaker_torch_distributed_enabled",
    "sagemaker_pytorch_ddp_enabled",
    # What SDK v2 makes of `pytorchddp`; AWS's own library of this name is not to be had.
    "sagemaker_distributed_dataparallel_enabled",
)
MIRRORED = "sagemaker_multi_worker_mirrored_strategy_enabled"
MPI = "sagemaker_mpi_enabled"


def launch(environment: TrainingEnvironment, command: list[str]) -> tuple[list[str], dict[str, str]]:
    """The command in place of the script's own, and variables that go with it."""
    hosts = cast(list[str], environment.facts["distribution_hosts"] or environment.facts["hosts"])
    current = str(environment.facts["current_host"])
    variables = _peers(environment)
    asked = _asked(environment)
    if not asked or current not in hosts:
        return command, variables
    if asked == MIRRORED:
        return command, {**variables, "TF_CONFIG": _tensorflow_cluster(hosts, current)}
    if asked == MPI:
        return _mpirun(environment, command, hosts, current), variables
    if asked not in TORCHRUN:
        name = asked.removeprefix("sagemaker_").removesuffix("_enabled")
        raise ClientError(f"The distribution {name} (hyperparameter {asked}) is not built in Clary yet.")
    return _torchrun(environment, command, hosts, current), variables


def _asked(environment: TrainingEnvironment) -> str:
    """The hyperparameter that names the job's launcher, if there is one."""
    parameters = cast(dict[str, object], environment.facts["additional_framework_parameters"])
    return next((name for name in (*TORCHRUN, *DISTRIBUTIONS) if parameters.get(name) in (True, "true")), "")


def _peers(environment: TrainingEnvironment) -> dict[str, str]:
    """What libraries for collective operations look for."""
    hosts = cast(list[str], environment.facts["hosts"])
    variables = {"MASTER_ADDR": str(environment.facts["master_hostname"]), "MASTER_PORT": MASTER_PORT}
    interface = _shared_interface(environment) if len(hosts) > 1 else ""
    if interface:
        variables |= {"NCCL_SOCKET_IFNAME": interface, "GLOO_SOCKET_IFNAME": interface, "NCCL_IB_DISABLE": "1"}
    return variables


def _shared_interface(environment: TrainingEnvironment) -> str:
    """By which the hosts reach each other; empty where it is not here. Libraries would give up then, where they find an
    address by the host's name otherwise."""
    import socket

    interface = str(environment.facts["network_interface_name"])
    return interface if interface in {name for _, name in socket.if_nameindex()} else ""


def _torchrun(environment: TrainingEnvironment, command: list[str], hosts: list[str], current: str) -> list[str]:
    if len(command) < 2 or command[0] != sys.executable or command[1] == "-m":
        raise ClientError(
            "Only a Python script can be run by torch_distributed, and no package or shell script: "
            f"the entry point is {environment.program}."
        )
    if importlib.util.find_spec("torch") is None:
        raise ClientError("torch_distributed was asked for, and this image has no PyTorch: use pytorch-training.")
    processes = cast(int, environment.facts["num_gpus"]) or 1
    options = ["--nnodes", str(len(hosts)), "--nproc_per_node", str(processes)]
    if len(hosts) > 1:
        options += ["--master_addr", hosts[0], "--master_port", MASTER_PORT, "--node_rank", str(hosts.index(current))]
    return [sys.executable, "-m", "torch.distributed.run", *options, *command[1:]]


def _mpirun(environment: TrainingEnvironment, command: list[str], hosts: list[str], current: str) -> list[str]:
    if shutil.which("mpirun") is None:
        raise ClientError("mpi was asked for, and this machine has no Open MPI: install Debian's package openmpi-bin.")
    module = [sys.executable, "-m", mpi.__name__]
    if current != hosts[0]:
        return [*module, "wait", current]
    parameters = cast(dict[str, object], environment.facts["additional_framework_parameters"])
    each = int(str(parameters.get("sagemaker_mpi_num_of_processes_per_host") or environment.facts["num_gpus"] or 1))
    places = ",".join(f"{host}:{each}" for host in hosts)
    options = ["--host", places, "-np", str(each * len(hosts)), "--allow-run-as-root", "-bind-to", "none"]
    settings = {
        "plm_rsh_agent": mpi.AGENT,
        "plm_rsh_no_tree_spawn": "1",
        "orte_abort_on_non_zero_status": "1",
        # Processes of a sandbox may not read each other's memory.
        "btl_vader_single_copy_mechanism": "none",
        "pml": "ob1",
    }
    interface = _shared_interface(environment)
    if interface:
        settings |= {"btl_tcp_if_include": interface, "oob_tcp_if_include": interface}
    for name, value in settings.items():
        options += ["-mca", name, value]
    options += shlex.split(str(parameters.get("sagemaker_mpi_custom_mpi_options") or ""))
    if command[0] == sys.executable and command[1] != "-m" and importlib.util.find_spec("mpi4py"):
        # It ends all processes where one raises.
        command = [command[0], "-m", "mpi4py", *command[1:]]
    return [*module, "lead", ",".join(hosts[1:]), "mpirun", *options, *command]


def _tensorflow_cluster(hosts: list[str], current: str) -> str:
    workers = [f"{host}:{WORKER_PORT}" for host in hosts]
    task = {"type": "worker", "index": hosts.index(current)}
    return json.dumps({"cluster": {"worker": workers}, "environment": "cloud", "task": task})
