"""The tables of this room. `repository` is the id of a record; times are epoch seconds."""

from sqlalchemy import BigInteger, Column, Double, Index, LargeBinary, MetaData, String, Table, Text

from clary.database import Room

metadata = MetaData()

HEAD = "0001"
ROOM = Room("clary.registry", metadata, HEAD)

Digest = String(71)  # `sha256:` and 64 digits
Tag = String(300).with_variant(String(300, collation="C"), "postgresql")

blobs = Table(
    "registry_blobs",
    metadata,
    Column("repository", String(32), primary_key=True),
    Column("digest", Digest, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("used", Double, nullable=False),  # when it was last sent, mounted or named
    Index("registry_blobs_by_digest", "digest"),
)

uploads = Table(
    "registry_uploads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("repository", String(32), nullable=False, index=True),
    Column("started", Double, nullable=False),
)

images = Table(
    "registry_images",
    metadata,
    Column("repository", String(32), primary_key=True),
    Column("digest", Digest, primary_key=True),
    Column("media_type", String(255), nullable=False),
    Column("artifact_type", String(255), nullable=False),
    Column("subject", Digest),  # the image that this one is about
    Column("size", BigInteger),  # bytes of its layers; null of an index
    Column("pushed", Double, nullable=False),
    Column("pulled", Double),
    Column("annotations", Text, nullable=False),  # a JSON object
    Column("content", LargeBinary, nullable=False),
    Index("registry_images_by_subject", "repository", "subject"),
)

references = Table(
    "registry_references",
    metadata,
    Column("repository", String(32), primary_key=True),
    Column("image", Digest, primary_key=True),
    Column("child", Digest, primary_key=True),  # a blob or an image
    Index("registry_references_by_child", "repository", "child"),
)

tags = Table(
    "registry_tags",
    metadata,
    Column("repository", String(32), primary_key=True),
    Column("tag", Tag, primary_key=True),
    Column("digest", Digest, nullable=False),
    Index("registry_tags_by_digest", "repository", "digest"),
)
