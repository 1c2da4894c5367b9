"""What an object has from its request and its bucket together: encryption, and who else may use it."""

from typing import Any

from clary.control.call import Call
from clary.objects.embedded import EmbeddedStore
from clary.services.s3.access import GRANTS, object_grants
from clary.services.s3.encryption import ENCRYPTION, encryption_for

PROTECTION = (GRANTS, *ENCRYPTION)
"""What a copy never takes over from its source."""


def protection(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """To be kept with what else was said of the object."""
    return encryption_for(store, call, request) | object_grants(store, call, request)
