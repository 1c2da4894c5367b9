"""The catalogue of the embedded store: which buckets, versions and uploads there are.

Keys are bytes, not text: so they compare in UTF-8 binary order, which is S3's, on every database, and may
hold any character. What a client said of an object (`ContentType`, `Metadata` …) is one JSON document in
the shape of the API. A body is the name of an immutable file (see `bodies.py`) or of a row of `small_bodies` that
several versions may share; the last one to go moves it to `dead_bodies`, from where it is removed after a while.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

metadata = MetaData()

_Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column named INTEGER

buckets = Table(
    "buckets",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("created", Float, nullable=False),
    Column("versioning", String(9), nullable=False),  # "", "Enabled" or "Suspended"
)

bucket_documents = Table(
    "bucket_documents",
    metadata,
    Column("bucket", ForeignKey("buckets.name", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("document", JSON, nullable=False),
)

versions = Table(
    "object_versions",
    metadata,
    Column("id", _Serial, primary_key=True),  # grows with time: the newest version of a key has the greatest
    Column("bucket", ForeignKey("buckets.name"), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("version_id", String(32), nullable=False),  # "null" where written without versioning
    Column("current", Boolean, nullable=False),  # the newest of its key, and no delete marker
    Column("body", String(32)),  # null makes it a delete marker
    Column("size", BigInteger, nullable=False),
    Column("etag", String(40), nullable=False),
    Column("modified", Float, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("checksums", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("parts", JSON, nullable=False),  # of a multipart upload: number, size and checksum of each
    Index("object_versions_by_id", "bucket", "key", "version_id", unique=True),
    Index("object_versions_by_age", "bucket", "key", "id"),
    Index("object_versions_listing", "bucket", "current", "key"),
    Index("object_versions_by_body", "body"),
)

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("bucket", ForeignKey("buckets.name"), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("started", Float, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("algorithm", String(16), nullable=False),
    Column("checksum_type", String(16), nullable=False),
    Index("uploads_listing", "bucket", "key", "started"),
)

completed_uploads = Table(
    "completed_uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("bucket", ForeignKey("buckets.name", ondelete="CASCADE"), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("completed", Float, nullable=False, index=True),
    Column("answer", JSON, nullable=False),
)

parts = Table(
    "upload_parts",
    metadata,
    Column("upload", ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("body", String(32), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("etag", String(40), nullable=False),
    Column("modified", Float, nullable=False),
    Column("checksums", JSON, nullable=False),
)

dead_bodies = Table(
    "dead_bodies",
    metadata,
    Column("body", String(32), primary_key=True),
    Column("since", Float, nullable=False, index=True),
)

small_bodies = Table(
    "small_bodies",
    metadata,
    Column("id", _Serial, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_autoincrement=True,  # a number is a body's name, and never given again
)
