"""Every test here runs on each database that the records are tested on."""

from tests.records.conftest import postgres, url

__all__ = ["postgres", "url"]
