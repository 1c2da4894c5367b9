"""What a client needs to know of Clary, as environment variables: the one place that says so.

The `sagemaker` SDK looks past `AWS_ENDPOINT_URL` for two things: it asks STS at its public address for the
account, to name the default bucket and the role, and it reports telemetry to an AWS host. Its configuration
file (`SAGEMAKER_USER_CONFIG_OVERRIDE`, one schema in v2 and v3) settles both beforehand.
"""

from __future__ import annotations

import configparser
import json
import os
from typing import TYPE_CHECKING

from clary.arns import global_arn
from clary.cli.errors import CommandError
from clary.cli.options import command_line
from clary.files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from clary.settings import Settings

LOOPBACK = ("127.0.0.1", "localhost", "::1")

STRAY = ("AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""Variables of a real AWS account that would be mixed with Clary's keys."""


def client_environment(settings: Settings, url: str) -> dict[str, str]:
    """The variables with which a program's AWS clients call the platform at `url`.

    Writes the SDK's configuration file that one of them names. Raises `CommandError` before the first `up`.
    """
    key, secret = _read_keys(settings)
    variables = {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": _no_proxy(),
        "no_proxy": _no_proxy(),
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(_write_sagemaker_config(settings)),
    }
    if settings.s3_endpoint:
        variables["AWS_ENDPOINT_URL_S3"] = settings.s3_endpoint
    return variables


def _no_proxy() -> str:
    """What the user's own setting exempts from proxies, and the loopback."""
    present = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    return ",".join(dict.fromkeys([*filter(None, present.split(",")), *LOOPBACK]))


def _read_keys(settings: Settings) -> tuple[str, str]:
    path = settings.state / "credentials"
    file = configparser.ConfigParser(interpolation=None)
    try:
        if not file.read(path):
            raise CommandError(
                f"There are no keys in {settings.state}: no platform was started there yet.",
                f"Start one: {command_line('up --detach', settings)}",
            )
        return file["default"]["aws_access_key_id"], file["default"]["aws_secret_access_key"]
    except (configparser.Error, KeyError):
        raise CommandError(
            f"{path} holds no keys that can be read.",
            "Restore it, or remove it: the next start makes new ones.",
        ) from None


def _write_sagemaker_config(settings: Settings) -> Path:
    path = settings.state / "sagemaker-config.yaml"
    text = json.dumps(_sagemaker_config(settings), indent=2) + "\n"  # JSON is YAML
    if not path.exists() or path.read_text() != text:
        write_atomically(str(path), text)
    return path


def _sagemaker_config(settings: Settings) -> dict[str, object]:
    """Bucket, telemetry, and the role where a program gives none, by the SDK's `config_schema.py`."""
    role = global_arn("iam", settings.region, settings.account, "role/service-role/AmazonSageMaker-ExecutionRole")
    bucket = f"sagemaker-{settings.region}-{settings.account}"
    return {
        "SchemaVersion": "1.0",
        "SageMaker": {
            "PythonSDK": {
                "Modules": {
                    "Session": {"DefaultS3Bucket": bucket},
                    "TelemetryOptOut": True,
                    "RemoteFunction": {"RoleArn": role},
                    "Serve": {"RoleArn": role},
                }
            },
            "TrainingJob": {"RoleArn": role},
            "ProcessingJob": {"RoleArn": role},
            "Model": {"ExecutionRoleArn": role},
            "Pipeline": {"RoleArn": role},
            "AutoMLJob": {"RoleArn": role},
            "AutoMLJobV2": {"RoleArn": role},
            "CompilationJob": {"RoleArn": role},
            "FeatureGroup": {"RoleArn": role},
        },
    }
