"""The console entry point: every command, and how the errors of all of them are shown."""

from typing import Annotated

import typer

from clary import __version__
from clary.cli.down import down
from clary.cli.env import env
from clary.cli.errors import CommandError
from clary.cli.images import app as images
from clary.cli.interrupt import interrupt
from clary.cli.logs import logs
from clary.cli.run import run
from clary.cli.status import status
from clary.cli.up import up

app = typer.Typer(
    name="clary",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (up, env, status, logs, interrupt, down):
    app.command()(command)
app.add_typer(images)
# What follows the program's name is the program's, `--help` and all.
app.command(context_settings={"allow_interspersed_args": False})(run)


def print_version(wanted: bool) -> None:
    if wanted:
        print(f"clary {__version__}")
        raise typer.Exit


@app.callback()
def clary(
    _version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A machine learning platform of your own that speaks the Amazon SageMaker API."""


def main() -> None:
    try:
        app(prog_name="clary")
    except CommandError as error:
        from rich.text import Text

        from clary.cli.console import err

        err.print("[bold red]clary:[/]", Text(error.problem))
        if error.remedy:
            err.print(error.remedy, style="dim", markup=False)
        raise SystemExit(error.code) from None
