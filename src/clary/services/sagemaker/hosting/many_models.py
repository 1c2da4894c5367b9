"""Containers that serve many models: what their instances are told, and where the archive of a model may be read.

    invocation ─▶ manager on the instance: wanted ─▶ grant_of ─▶ the invocation again, with where the archive lies

Models may be put below the prefix while the endpoint serves. `instance/models/` is the other side.
"""

import hashlib
import hmac
from typing import Any

from clary.control.house import House
from clary.control.reach import location
from clary.instance.models import headers
from clary.instance.spec import Models
from clary.objects.errors import ObjectArchived
from clary.records.record import Scope
from clary.services.sagemaker.instances.inputs import split_s3_uri

MOST_LOADED = "CLARY_MOST_LOADED_MODELS"
"""Variable of a container: how many models are loaded at once, where memory is not to decide."""


class NoArchive(Exception):
    """There is no object of this bucket and key, the arguments, or it is archived."""


def models_of(house: House, scope: Scope, endpoint: str, container: dict[str, Any]) -> Models:
    return Models(
        secret=_secret(house, scope, endpoint),
        most=int(container.get("Environment", {}).get(MOST_LOADED) or 0),
        keeps=container.get("MultiModelConfig", {}).get("ModelCacheSetting") != "Disabled",
    )


def grant_of(house: House, scope: Scope, endpoint: str, prefix: str, target: str) -> tuple[tuple[str, str], ...]:
    """Headers by which a manager of the endpoint's may read the archive `target` below `prefix`, an S3 URI. Raises
    `NoArchive`, or `ValueError` for what may not be asked for."""
    parts = target.strip("/").split("/")
    if not {"", ".", ".."}.isdisjoint(parts) or "\0" in target:
        raise ValueError(target)
    bucket, key = split_s3_uri(f"{prefix.rstrip('/')}/{'/'.join(parts)}")
    try:
        where = location(house, bucket, key)
    except (KeyError, ObjectArchived):
        raise NoArchive(bucket, key) from None
    return (headers.LOCATION, where), (headers.GRANT, headers.grant(_secret(house, scope, endpoint), target, where))


def _secret(house: House, scope: Scope, endpoint: str) -> str:
    """The same for all replicas of the endpoint, whichever of them is asked next."""
    name = f"models of {scope.account}/{scope.region}/{endpoint}"
    return hmac.digest(house.keys.platform.secret.encode(), name.encode(), hashlib.sha256).hex()
