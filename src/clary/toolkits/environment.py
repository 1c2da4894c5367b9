"""What a training script is told of its job: the `SM_*` variables and its command line.

    /opt/ml/input/config/*.json + SAGEMAKER_* → TrainingEnvironment → SM_* variables, `--name value` arguments

Names and formats are those that AWS documents for its training toolkit
(https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md).
"""

import json
import os
import re
from collections.abc import Mapping

from clary.toolkits.layout import opt_ml

PLATFORM_PREFIX = "sagemaker_"
"""Hyperparameters with this prefix speak to the toolkit, not to the script."""

TOOLKIT_HYPERPARAMETERS = frozenset(
    {
        "sagemaker_program",
        "sagemaker_submit_directory",
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    }
)
"""Known to the toolkit itself; others with the prefix are passed on as `SM_FRAMEWORK_PARAMS`."""

DISTRIBUTIONS = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
)

RENAMED = {"hyperparameters": "hps", "additional_framework_parameters": "framework_params"}
"""Fact → the name under which it is a variable."""

UNNAMED = frozenset(
    {
        "channel_input_dirs",
        "distribution_hosts",
        "is_master",
        "is_modelparallel_enabled",
        "is_smddpmprun_installed",
        "is_smddprun_installed",
        "job_name",
        "master_hostname",
    }
)
"""Facts that are in `SM_TRAINING_ENV` only."""

INFO = 20


class TrainingEnvironment:
    """A snapshot of the job as this instance sees it; `facts` holds everything under AWS's own names."""

    def __init__(self) -> None:
        resources = read_config("resourceconfig.json")
        channels = read_config("inputdataconfig.json")
        given = {name: _decode(value) for name, value in read_config("hyperparameters.json").items()}
        toolkit = {name: given.pop(name) for name in list(given) if _is_toolkits(name)}

        self.hyperparameters = given
        self.program = os.environ.get("SAGEMAKER_PROGRAM") or str(toolkit.get("sagemaker_program") or "")
        self.submit_directory = str(
            toolkit.get("sagemaker_submit_directory") or os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY") or ""
        )
        self.region = str(toolkit.get("sagemaker_region") or os.environ.get("AWS_REGION") or "")
        self.job_name = str(toolkit.get("sagemaker_job_name") or os.environ.get("TRAINING_JOB_NAME") or "")
        self.log_level = _log_level(
            toolkit.get("sagemaker_container_log_level", os.environ.get("SAGEMAKER_CONTAINER_LOG_LEVEL"))
        )
        self.facts: dict[str, object] = {
            **_host_facts(resources, toolkit),
            # Libraries of AWS's own, which are never here.
            "is_modelparallel_enabled": None,
            "is_smddpmprun_installed": False,
            "is_smddprun_installed": False,
            "additional_framework_parameters": {
                name: value for name, value in toolkit.items() if name not in TOOLKIT_HYPERPARAMETERS
            },
            "channel_input_dirs": {name: opt_ml("input", "data", name) for name in channels},
            "framework_module": os.environ.get("SAGEMAKER_TRAINING_MODULE"),
            "hyperparameters": given,
            "input_config_dir": opt_ml("input", "config"),
            "input_data_config": channels,
            "input_dir": opt_ml("input"),
            "job_name": self.job_name,
            "log_level": self.log_level,
            "model_dir": opt_ml("model"),
            "module_dir": self.submit_directory or opt_ml("code"),
            "module_name": self.program.removesuffix(".py"),
            "num_cpus": len(os.sched_getaffinity(0)),
            "num_gpus": count_gpus(),
            "num_neurons": 0,
            "output_data_dir": opt_ml("output", "data"),
            "output_dir": opt_ml("output"),
            "output_intermediate_dir": opt_ml("output", "intermediate"),
            "resource_config": resources,
            "user_entry_point": self.program,
        }

    @property
    def arguments(self) -> list[str]:
        """The hyperparameters as the script's command line: `--name value`, `-n value` for one letter."""
        words: list[str] = []
        for name in sorted(self.hyperparameters):
            value = self.hyperparameters[name]
            words.append(f"--{name}" if len(name) > 1 else f"-{name}")
            if isinstance(value, dict):
                words.append(",".join(f"{key}={part}" for key, part in sorted(value.items())))
            else:
                words.append("" if value is None else str(value))
        return words

    def variables(self) -> dict[str, str]:
        """What the script's environment gets on top of the container's own."""
        values = {RENAMED.get(name, name): value for name, value in self.facts.items() if name not in UNNAMED}
        directories = self.facts["channel_input_dirs"]
        assert isinstance(directories, dict)
        values["channels"] = sorted(directories)
        values["user_args"] = self.arguments
        values["training_env"] = self.facts
        values |= {f"channel_{name}": path for name, path in directories.items()}
        values |= {f"hp_{name}": value for name, value in self.hyperparameters.items()}
        return {f"SM_{name}".upper(): _encode(value) for name, value in values.items()} | {
            "CURRENT_HOST": str(self.facts["current_host"]),
            "SAGEMAKER_JOB_NAME": self.job_name,
            "SAGEMAKER_REGION": self.region,
        }


def count_gpus() -> int:
    """GPUs of this instance, by what CUDA is told, or by their device files: asking nvidia-smi would cost more than all
    the rest."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len(visible.split(",")) if visible else 0
    try:
        return sum(re.fullmatch(r"nvidia\d+", name) is not None for name in os.listdir("/dev"))
    except OSError:
        return 0


def read_config(name: str) -> dict[str, object]:
    """A configuration file of the platform; empty where a platform writes none."""
    try:
        with open(opt_ml("input", "config", name)) as file:
            content: dict[str, object] = json.load(file)
            return content
    except FileNotFoundError:
        return {}


def _decode(value: object) -> object:
    """The SDK encodes hyperparameters as JSON, boto3's users write plain strings: both are meant."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _encode(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _is_toolkits(name: str) -> bool:
    return name in TOOLKIT_HYPERPARAMETERS or name.startswith(PLATFORM_PREFIX)


def _log_level(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return INFO


def _host_facts(resources: Mapping[str, object], toolkit: Mapping[str, object]) -> dict[str, object]:
    """Who this instance is among the job's instances."""
    current = resources.get("current_host", "algo-1")
    hosts = resources.get("hosts", [current])
    group = resources.get("current_group_name", "homogeneousCluster")
    listed = resources.get("instance_groups") or []
    assert isinstance(hosts, list)
    assert isinstance(listed, list)
    groups = {entry["instance_group_name"]: entry for entry in listed}
    distributed = toolkit.get("sagemaker_distribution_instance_groups")
    if not isinstance(distributed, list):
        distributed = [group] if any(toolkit.get(name) for name in DISTRIBUTIONS) else []
    members = [host for name in distributed if name in groups for host in groups[name]["hosts"]]
    distribution_hosts = members if groups else list(hosts)
    master = (distribution_hosts or hosts)[0]
    return {
        "current_host": current,
        "current_instance_group": group,
        "current_instance_group_hosts": groups[group]["hosts"] if group in groups else [],
        "current_instance_type": resources.get("current_instance_type", "local"),
        "distribution_hosts": distribution_hosts,
        "distribution_instance_groups": distributed,
        "hosts": hosts,
        "instance_groups": list(groups),
        "instance_groups_dict": groups,
        "is_hetero": len(groups) > 1,
        "is_master": current == master,
        "master_hostname": master,
        "network_interface_name": resources.get("network_interface_name", "eth0"),
    }
