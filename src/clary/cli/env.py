"""`clary env`: the exports with which a shell's programs reach Clary, and nothing else on standard output."""

from __future__ import annotations

import json
import os
import shlex
import sys
from enum import StrEnum
from typing import Annotated

import typer

from clary.cli.options import StateOption, command_line, load_settings


class Shell(StrEnum):
    SH = "sh"
    FISH = "fish"
    JSON = "json"


def env(
    state: StateOption = None,
    shell: Annotated[Shell, typer.Option(help="sh serves bash, zsh and dash too.")] = Shell.SH,
) -> None:
    """Print what a client needs, for: eval "$(clary env)"."""
    from clary.cli.environment import STRAY, client_environment
    from clary.cli.platforms import running_platform

    settings = load_settings(state=state)
    platform = running_platform(settings.state)
    url = platform.url if platform else f"http://{settings.host}:{settings.port}"
    variables = client_environment(settings, url)
    if platform is None:
        print(f"clary: not up yet; start it with: {command_line('up --detach', settings)}", file=sys.stderr)
    print(render(shell, variables, [name for name in STRAY if name in os.environ]))


def render(shell: Shell, variables: dict[str, str], stray: list[str]) -> str:
    """`variables` to be set and `stray` ones to be unset, in the language of `shell`."""
    if shell is Shell.JSON:
        return json.dumps(variables, indent=2)
    if shell is Shell.FISH:
        return "\n".join(
            [f"set -e {name}" for name in stray]
            + [f"set -gx {name} {_fish_quote(value)}" for name, value in variables.items()]
        )
    return "\n".join(
        [f"unset {name}" for name in stray]
        + [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    )


def _fish_quote(value: str) -> str:
    """In fish's single quotes only the backslash and the quote itself are escaped."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
