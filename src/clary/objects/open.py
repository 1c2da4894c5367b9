"""Which object store a platform has, by its settings."""

from typing import TYPE_CHECKING

from sqlalchemy import Engine

from clary.database import Room, migrate
from clary.objects.embedded import EmbeddedStore
from clary.objects.tables import metadata
from clary.settings import Settings

if TYPE_CHECKING:
    from clary.objects.external import ExternalStore

ROOM = Room("clary.objects", metadata, head="0004")


def open_embedded(settings: Settings, engine: Engine) -> EmbeddedStore:
    migrate(engine, ROOM)
    return EmbeddedStore(engine, settings.objects_dir)


def open_store(settings: Settings, engine: Engine) -> "EmbeddedStore | ExternalStore":
    """The embedded store, or the S3 service that `s3_endpoint` names."""
    if settings.s3_endpoint is None:
        return open_embedded(settings, engine)
    from clary.objects.external import ExternalStore  # boto3 takes a quarter of a second to import

    return ExternalStore(settings)
