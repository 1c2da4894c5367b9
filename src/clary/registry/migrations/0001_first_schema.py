"""Blobs, uploads, images, what they name, and tags."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_DIGEST = sa.String(length=71)


def _tag() -> sa.types.TypeEngine[str]:
    return sa.String(length=300).with_variant(sa.String(length=300, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "registry_blobs",
        sa.Column("repository", sa.String(length=32), primary_key=True),
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.Double(), nullable=False),
    )
    op.create_index("registry_blobs_by_digest", "registry_blobs", ["digest"])
    op.create_table(
        "registry_uploads",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("repository", sa.String(length=32), nullable=False),
        sa.Column("started", sa.Double(), nullable=False),
    )
    op.create_index("ix_registry_uploads_repository", "registry_uploads", ["repository"])
    op.create_table(
        "registry_images",
        sa.Column("repository", sa.String(length=32), primary_key=True),
        sa.Column("digest", _DIGEST, primary_key=True),
        sa.Column("media_type", sa.String(length=255), nullable=False),
        sa.Column("artifact_type", sa.String(length=255), nullable=False),
        sa.Column("subject", _DIGEST),
        sa.Column("size", sa.BigInteger()),
        sa.Column("pushed", sa.Double(), nullable=False),
        sa.Column("pulled", sa.Double()),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_index("registry_images_by_subject", "registry_images", ["repository", "subject"])
    op.create_table(
        "registry_references",
        sa.Column("repository", sa.String(length=32), primary_key=True),
        sa.Column("image", _DIGEST, primary_key=True),
        sa.Column("child", _DIGEST, primary_key=True),
    )
    op.create_index("registry_references_by_child", "registry_references", ["repository", "child"])
    op.create_table(
        "registry_tags",
        sa.Column("repository", sa.String(length=32), primary_key=True),
        sa.Column("tag", _tag(), primary_key=True),
        sa.Column("digest", _DIGEST, nullable=False),
    )
    op.create_index("registry_tags_by_digest", "registry_tags", ["repository", "digest"])
