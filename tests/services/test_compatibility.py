"""The page of what is built tells the truth, and nothing is registered that AWS does not publish."""

from pathlib import Path

from clary.services.compatibility import compatibility
from clary.services.table import all_handlers
from clary.wire.models import service_model

ROOT = Path(__file__).parents[2]


def test_the_page_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "compatibility.md").read_text() == compatibility(), "run `make compatibility`"


def test_every_handler_is_of_a_published_operation() -> None:
    for service, name in all_handlers():
        assert name in service_model(service).operation_names
