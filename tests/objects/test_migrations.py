"""What earlier catalogues held of buckets, and nobody read, counts as S3 would have had it."""

import json
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import Engine, text

from clary.database import open_database
from clary.database.migrate import alembic_config
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import ROOM
from tests.objects.conftest import ACCOUNT, open_at

KMS = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}


def first_schema(engine: Engine) -> None:
    config = alembic_config(ROOM)
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=ROOM.version_table)
        command.upgrade(config, "0001")


def keep(engine: Engine, bucket: str, kind: str, document: Any) -> None:
    named = {"bucket": bucket, "account": ACCOUNT, "kind": kind, "document": json.dumps(document)}
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO buckets VALUES (:bucket, :account, 'us-east-1', 1.0, '')"), named)
        connection.execute(text("INSERT INTO bucket_documents VALUES (:bucket, :kind, :document)"), named)


def rules(store: EmbeddedStore, bucket: str) -> list[tuple[bool, str]]:
    document = store.documents.of(bucket, "BucketLifecycleConfiguration")
    assert document is not None
    return [(bool(rule["ID"]), rule["Status"]) for rule in document["Rules"]]


def test_lifecycle_rules_and_encryptions_are_mended(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'clary.db'}")
    first_schema(engine)
    actions: list[dict[str, Any]] = [
        {"Expiration": {"Days": 3}},
        {"Expiration": {"Date": 1.0}},
        {"Expiration": {"Days": 0}},
        {"NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 2}},
        {"AbortIncompleteMultipartUpload": {}},
    ]
    kept = [{"Status": "Enabled", "Filter": {}, **action} for action in actions]
    keep(engine, "ruled", "BucketLifecycleConfiguration", {"Rules": kept})
    keep(engine, "encrypted", "BucketEncryption", {"Rules": [KMS]})
    keep(engine, "unclear", "BucketEncryption", {"Rules": [{}]})
    engine.dispose()
    store = open_at(tmp_path)
    statuses = ["Enabled", "Enabled", "Disabled", "Disabled", "Disabled"]
    assert rules(store, "ruled") == [(True, status) for status in statuses]
    assert store.documents.of("encrypted", "BucketEncryption") == {"Rules": [KMS | {"BucketKeyEnabled": False}]}
    assert store.documents.of("unclear", "BucketEncryption") is None
    store.close()
