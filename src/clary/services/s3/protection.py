"""What an object has from its request and its bucket together: encryption, who else may use it, and how long it is
locked."""

from typing import Any

from clary.control.call import Call
from clary.objects.embedded import EmbeddedStore
from clary.objects.locks import LOCK
from clary.services.s3.access import GRANTS, object_grants
from clary.services.s3.encryption import ENCRYPTION, encryption_for
from clary.services.s3.locking import lock_for

PROTECTION = (GRANTS, *ENCRYPTION, *LOCK)
"""What a copy never takes over from its source."""


def protection(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """To be kept with what else was said of the object."""
    return encryption_for(store, call, request) | object_grants(store, call, request) | lock_for(store, request)
