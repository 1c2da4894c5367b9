"""The options that several commands take, and the settings that come of them.

Order of precedence: option, `CLARY_*` variable, default of `Settings`.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clary.cli.errors import CommandError

if TYPE_CHECKING:
    from clary.settings import Settings

StateOption = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        file_okay=False,
        help="Directory of everything that Clary keeps. Default: $CLARY_STATE or ~/.clary.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


def load_settings(**options: object) -> Settings:
    """The settings of this command; an option that is None was not given. `state` is made absolute."""
    from pydantic import ValidationError

    from clary.settings import Settings

    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        source = f"--{name}" if name in given else f"CLARY_{name.upper()}"
        raise CommandError(f"{source} is {first['input']!r}: {first['msg'].lower()}") from None
    return settings.model_copy(update={"state": settings.state.expanduser().resolve()})


def command_line(command: str, settings: Settings) -> str:
    """`clary <command>` as this user must type it to reach the same state directory; for hints."""
    name, _, arguments = command.partition(" ")
    if load_settings().state == settings.state:
        return f"clary {command}"
    return f"clary {name} --state {shlex.quote(str(settings.state))} {arguments}".rstrip()
