"""`clary run`: one program, for which every AWS address is the platform.

AWS_ENDPOINT_URL ──► clients that honour it reach the platform directly, as with `clary env`: no TLS, no
                     second copy of every byte, and pyarrow's S3, which looks at no proxy variable, works
HTTPS_PROXY ───────► what they hard-code (STS, regional S3 hosts) reaches it through `proxy/`
AWS_CA_BUNDLE … ───► what they trust anyway, and the authority that the proxy signs with
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from clary.cli.errors import CommandError
from clary.cli.options import StateOption, command_line, load_settings

if TYPE_CHECKING:
    from clary.cli.platforms import Platform
    from clary.settings import Settings

CANNOT_START, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
"""Exit codes that are not the program's: as `env` and `timeout` have them."""


def run(
    program: Annotated[list[str], typer.Argument(metavar="PROGRAM [ARGS]", show_default=False)],
    state: StateOption = None,
    up: Annotated[bool, typer.Option("--up", help="Start the platform first if it is not up.")] = False,
) -> None:
    """Run a program whose every call to an AWS address is answered by Clary."""
    import uvloop

    from clary.cli.child import end_as
    from clary.cli.session import run_session

    settings = load_settings(state=state)
    platform = _find_platform(settings, up)
    try:
        status = uvloop.run(run_session(program, settings, platform))
    except FileNotFoundError:
        raise CommandError(f"There is no program {program[0]}.", code=NOT_FOUND) from None
    except PermissionError:
        raise CommandError(f"{program[0]} is not executable.", code=NOT_EXECUTABLE) from None
    end_as(status)


def _find_platform(settings: Settings, start: bool) -> Platform:
    from clary.cli.launch import start_detached
    from clary.cli.platforms import running_platform

    platform = running_platform(settings.state)
    if platform is None and start:
        platform = start_detached(settings)
    if platform is None:
        raise CommandError(
            f"No platform is up on {settings.state}.",
            f"Start it with: {command_line('up --detach', settings)}\n"
            f"or let this command do it: {command_line('run --up -- …', settings)}",
            code=CANNOT_START,
        )
    return platform
