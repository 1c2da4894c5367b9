"""Messages in queues, and deliveries."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _serial() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "messages_queued",
        sa.Column("id", _serial(), primary_key=True),
        sa.Column("queue", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("sent", sa.Double(), nullable=False),
        sa.Column("visible", sa.Double(), nullable=False),
        sa.Column("receives", sa.Integer(), nullable=False),
        sa.Column("first_received", sa.Double()),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_queued_by_visibility", "messages_queued", ["queue", "visible", "id"])
    op.create_index("messages_queued_by_age", "messages_queued", ["queue", "sent"])
    op.create_table(
        "messages_outbox",
        sa.Column("id", _serial(), primary_key=True),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("posted", sa.Double(), nullable=False),
        sa.Column("due", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
    )
    op.create_index("messages_outbox_by_due", "messages_outbox", ["recipient", "due", "id"])
