"""Databases, as the records' own tests have them."""

from tests.records.conftest import engine, postgres, records, url

__all__ = ["engine", "postgres", "records", "url"]
