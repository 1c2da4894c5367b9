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
from clary.cli.options import StateOption, load_settings

if TYPE_CHECKING:
    from clary.cli.platforms import Platform
    from clary.settings import Settings


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
    end_as(uvloop.run(run_session(program, settings, platform)))


def _find_platform(settings: Settings, start: bool) -> Platform:
    from clary.cli.child import CANNOT_START
    from clary.cli.launch import require_platform, start_detached
    from clary.cli.platforms import running_platform

    try:
        if start and running_platform(settings.state) is None:
            return start_detached(settings)
        return require_platform(settings)
    except CommandError as error:
        error.code = CANNOT_START
        raise
