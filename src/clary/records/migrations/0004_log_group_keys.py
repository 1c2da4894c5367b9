"""Log groups remember the key that they were created with."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("log_groups", sa.Column("kms_key", sa.String(length=256), nullable=True))
