"""`clary up`: start the platform, in this terminal or as a process of its own."""

from __future__ import annotations

import errno
import gc
import json as json_format
import logging
import os
import sys
import time
from enum import StrEnum
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from clary.cli.errors import CommandError
from clary.cli.options import JsonOption, StateOption, command_line, load_settings

if TYPE_CHECKING:
    from clary.cli.platforms import Platform
    from clary.settings import Settings


class Sandbox(StrEnum):
    AUTO = "auto"
    REQUIRE = "require"
    OFF = "off"


def up(
    state: StateOption = None,
    database: Annotated[str | None, typer.Option(metavar="URL", help="SQLAlchemy URL. Default: SQLite in DIR.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Default: 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any free one. Default: 7373.")] = None,
    engine: Annotated[
        str | None, typer.Option(metavar="ENGINE", help="Where jobs run: process (default), docker, ray://HOST:10001.")
    ] = None,
    advertise: Annotated[
        str | None, typer.Option(metavar="URL", help="Where jobs on other machines find this platform.")
    ] = None,
    sandbox: Annotated[
        Sandbox | None, typer.Option(help="Whether jobs run in a bubblewrap sandbox. Default: auto.")
    ] = None,
    strict_roles: Annotated[
        bool | None, typer.Option("--strict-roles", help="Let only roles be used that were created. Default: any.")
    ] = None,
    oversubscribe: Annotated[
        bool | None,
        typer.Option(
            "--oversubscribe/--no-oversubscribe",
            help="Whether jobs start though the machine is full, or wait in line. Default: they start.",
        ),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is ready.")] = False,
    json: JsonOption = False,
) -> None:
    """Start the platform."""
    from clary.cli.launch import refuse_second, start_detached

    began = time.monotonic()
    settings = load_settings(
        state=state,
        database=database,
        host=host,
        port=port,
        engine=engine,
        advertise=advertise,
        sandbox=sandbox,
        strict_roles=strict_roles,
        oversubscribe=oversubscribe,
    )
    refuse_second(settings)
    if detach:
        announce(start_detached(settings), settings, time.monotonic() - began, detached=True, json=json)
    else:
        serve(settings, began, json)


def serve(settings: Settings, began: float, json: bool) -> None:
    """Run the platform in this process until it is told to end."""
    # What is imported stays: to look among it for garbage, again and again, is for nothing.
    gc.disable()
    import clary.app
    from clary.control.reach import Unreachable
    from clary.engines.choosing import UnknownEngine
    from clary.wire.credentials import CorruptCredentials

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        clary.app.run(settings, lambda: _announce_beside(settings, began, json))
    except (clary.app.StateInUse, CorruptCredentials, UnknownEngine, Unreachable) as error:
        raise CommandError(str(error)) from None
    except clary.app.DatabaseUnusable as error:
        raise CommandError(
            f"The database cannot be used: {error}",
            "A file is sqlite:////absolute/path; PostgreSQL is postgresql://user:password@host/name and needs "
            "pip install 'clary[postgres]'.",
        ) from None
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            raise
        raise CommandError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
            "Choose another address with --port or --host; --port 0 takes any free port.",
        ) from None


def _announce_beside(settings: Settings, began: float, json: bool) -> None:
    if json or sys.stdout.isatty():
        Thread(target=_announce_when_ready, args=(settings, began, json), daemon=True).start()


def _announce_when_ready(settings: Settings, began: float, json: bool) -> None:
    from clary.cli.launch import ready_platform
    from clary.cli.platforms import wait_for

    platform = wait_for(lambda: ready_platform(settings.state, os.getpid()), float("inf"))
    if platform:
        announce(platform, settings, time.monotonic() - began, detached=False, json=json)


def announce(platform: Platform, settings: Settings, seconds: float, *, detached: bool, json: bool) -> None:
    """Say where the platform listens and what to do next. `seconds` is how long the start took."""
    if json:
        report = {"url": platform.url, "pid": platform.pid, "state": str(settings.state)}
        print(json_format.dumps({**report, "seconds": round(seconds, 3)}), flush=True)
        return
    from clary.cli.console import out

    up_at = f"[bold green]Clary {platform.version} is up[/] at [bold]{platform.url}[/]"
    out.print(f"{up_at} after {seconds:.1f} s.")
    process = f", process {platform.pid}" if detached else ""
    out.print(f"  State      {settings.state}{process}", markup=False)
    out.print("  In a shell that runs SageMaker programs:")
    out.print(f'      eval "$({command_line("env", settings)})"', style="cyan", markup=False)
    out.print("  or for one program, with every AWS address answered here:")
    out.print(f"      {command_line('run -- python program.py', settings)}", style="cyan", markup=False)
    ending = command_line("down", settings) if detached else "Ctrl-C"
    out.print(f"  End it with {ending}; running jobs go on, and the next start finds them again.", markup=False)
