"""Records have parents and timers, and those that are live are found at once."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("records", sa.Column("parent", sa.String(length=32), nullable=True))
    op.add_column("records", sa.Column("wake_at", sa.Double(), nullable=True))
    op.create_index("records_by_activity", "records", ["kind", "status", "modified", "id"], unique=False)
    for name, columns in (
        ("records_by_parent", ["parent", "kind", "status", "created", "id"]),
        ("records_by_timer", ["wake_at", "id", "kind"]),
    ):
        known = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(name, "records", columns, unique=False, sqlite_where=known, postgresql_where=known)
