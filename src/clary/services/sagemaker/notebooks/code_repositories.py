"""Git repositories that notebooks open and jobs take their code from."""

from typing import Any

from clary.records.record import Kind
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.operations import serve


def _amend(document: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Of a repository only the secret can change."""
    return {**document, "GitConfig": {**document["GitConfig"], **request.get("GitConfig", {})}}


CODE_REPOSITORIES = Resource(
    base="CodeRepository",
    plural="CodeRepositories",
    kind=Kind("code-repository"),
    missing="Cannot find CodeRepository: {arn}",
    exists="Cannot create a duplicate CodeRepository: {arn}",
    amend=_amend,
    sort_by="Name",
    order="Ascending",
)
serve(CODE_REPOSITORIES, "Create", "Describe", "List", "Update", "Delete")
