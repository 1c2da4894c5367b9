"""Writes `docs/compatibility.md`: which published operations are built. Run by `make compatibility`."""

from clary.services.table import all_handlers
from clary.wire.models import SERVICES, service_model

HEAD = """# Compatibility

Generated from the code by `make compatibility`; a test holds it true. Every operation that botocore publishes for these
services is parsed and validated; one that is not built answers with an error that names it.
"""


def compatibility() -> str:
    """The page, as Markdown."""
    handlers = all_handlers()
    summary = ["| service | built | published |", "|---|---|---|"]
    sections = []
    for service in SERVICES:
        published = sorted(service_model(service).operation_names)
        built = [name for name in published if (service, name) in handlers]
        missing = [name for name in published if (service, name) not in handlers]
        summary.append(f"| {service} | {len(built)} | {len(published)} |")
        sections.append(f"## {service}\n\n**Built**: {_listed(built)}\n\n**Not built**: {_listed(missing)}\n")
    return "\n".join([HEAD, *summary, "", *sections])


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


if __name__ == "__main__":
    print(compatibility(), end="")
