"""Samples remember the step of the program that they were measured at."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("metric_samples", sa.Column("step", sa.BigInteger(), nullable=True))
