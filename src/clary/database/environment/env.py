"""Run by Alembic for every command: `migrate.py` leaves the connection and the version table in its
configuration."""

from alembic import context

attributes = context.config.attributes
context.configure(
    connection=attributes["connection"],
    version_table=attributes["version_table"],
    # SQLite can hardly alter a table: Alembic copies it in its stead.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
