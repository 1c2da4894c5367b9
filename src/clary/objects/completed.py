"""Uploads that became objects, remembered for a while: a client that never got its answer completes them again.

Functions of an open transaction.
"""

import time
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from clary.objects.tables import completed_uploads
from clary.objects.uploads import Upload

MEMORY = 7 * 24 * 3600.0
"""Seconds; no client tries for longer."""


def remember(connection: Connection, upload: Upload, answer: dict[str, Any]) -> None:
    now = time.time()
    connection.execute(delete(completed_uploads).where(completed_uploads.c.completed < now - MEMORY))
    values = {"id": upload.id, "bucket": upload.bucket, "key": upload.key, "completed": now, "answer": answer}
    connection.execute(insert(completed_uploads).values(values))


def recall(connection: Connection, bucket: str, key: bytes, upload_id: str) -> dict[str, Any] | None:
    """What was answered when the upload was completed."""
    columns = completed_uploads.c
    query = select(columns.answer).where(columns.id == upload_id, columns.bucket == bucket, columns.key == key)
    answer: dict[str, Any] | None = connection.execute(query).scalar()
    return answer
