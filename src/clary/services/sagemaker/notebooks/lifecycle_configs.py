"""Scripts that run when a notebook instance is created or started."""

import base64
import binascii
from typing import Any

from clary.control.call import Call
from clary.records.record import Kind
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.resources.declaration import Resource, replace_members
from clary.services.sagemaker.resources.operations import serve

HOOKS = ("OnCreate", "OnStart")


def _prepare(_call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _check_scripts(request)
    return request


def _amend(document: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    _check_scripts(request)
    return replace_members(document, request)


def _check_scripts(request: dict[str, Any]) -> None:
    for hook in HOOKS:
        for script in request.get(hook, []):
            try:
                base64.b64decode(script.get("Content", ""), validate=True)
            except binascii.Error:
                raise invalid(f"The Content of {hook} is not valid: it must be a base64-encoded script.") from None


LIFECYCLE_CONFIGS = Resource(
    base="NotebookInstanceLifecycleConfig",
    kind=Kind("notebook-instance-lifecycle-config"),
    missing=(
        "Unable to describe Notebook Instance Lifecycle Config '{arn}'. "
        "(Details: Notebook Instance Lifecycle Config does not exist.)"
    ),
    exists=(
        "Unable to create Notebook Instance Lifecycle Config {arn}. "
        "(Details: Notebook Instance Lifecycle Config already exists.)"
    ),
    prepare=_prepare,
    amend=_amend,
)
serve(LIFECYCLE_CONFIGS, "Create", "Describe", "List", "Update", "Delete")
