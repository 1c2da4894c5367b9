"""The index of Search. It is filled from the records that are there when a platform first runs on it."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
name = sa.String(length=1024).with_variant(sa.String(length=1024, collation="C"), "postgresql")
text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "search_queue",
        sa.Column("id", serial, nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "search_kinds",
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "search_fields",
        sa.Column("id", serial, nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=12), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.Column("path", name, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("search_fields_by_path", "search_fields", ["kind", "account", "region", "path"], unique=True)
    op.create_table(
        "search_entities",
        sa.Column("id", serial, nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["records.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("search_entities_by_record", "search_entities", ["record"], unique=True)
    _create_values("search_texts", text)
    _create_values("search_numbers", sa.Double())


def _create_values(table: str, value: sa.types.TypeEngine[Any]) -> None:
    op.create_table(
        table,
        sa.Column("entity", serial, nullable=False),
        sa.Column("field", sa.Integer(), nullable=False),
        sa.Column("element", sa.Integer(), nullable=False),
        sa.Column("value", value, nullable=False),
        sa.ForeignKeyConstraint(["entity"], ["search_entities.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("entity", "field", "element", "value"),
        sqlite_with_rowid=False,
    )
    op.create_index(f"{table}_by_value", table, ["field", "value", "entity", "element"], unique=False)
