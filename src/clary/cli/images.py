"""`clary images`: the environments of framework images on this machine, and users' own that jobs have unpacked; needs
no platform that is up.

pull ──► find_recipe ──► provide, as an instance's agent does it ──► the directory that agents look into
"""

from __future__ import annotations

import json as json_format
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clary.cli.errors import CommandError
from clary.cli.options import JsonOption, load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from clary.images.store import Stored, Unpacked

app = typer.Typer(
    name="images",
    help="The images on this machine: list, pull, remove, prune.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DAY = 86400.0
Names = Annotated[list[str], typer.Argument(metavar="IMAGE…", help="sagemaker-xgboost:1.7-1, or a whole registry URI.")]


@app.command("list")
def list_images(json: JsonOption = False) -> None:
    """Show what is here, with its size and when it was last used."""
    from clary.images.store import stored_images, unpacked_images

    settings = load_settings()
    stored, own = stored_images(settings.environments), unpacked_images(settings.images)
    if json:
        print(json_format.dumps([*map(_describe, stored), *map(_describe_own, own)], indent=2))
    elif stored or own:
        _show(stored, own)
    else:
        from clary.cli.console import out

        out.print(f"There are no images in {settings.environments} and {settings.images}.", markup=False)
        out.print("Each comes when a job first asks for it, or by: clary images pull IMAGE", style="dim", markup=False)


@app.command()
def pull(images: Names, json: JsonOption = False) -> None:
    """Download images ahead of time. Jobs that use them then need no network."""
    from clary.cli.pulling import Pulling

    recipes = [_recipe(name) for name in images]
    with Pulling() as pulling:
        held = [pulling.pull(recipe, load_settings().environments) for recipe in recipes]
    if json:
        print(json_format.dumps([{"image": each.image.recipe.name, "version": each.image.version} for each in held]))


@app.command()
def remove(images: Names) -> None:
    """Delete images. One that an instance uses stays, and the exit code is 1."""
    from clary.cli.console import out
    from clary.images.store import remove_image, remove_layers

    own = load_settings().images
    found = {name: _find(name) for name in images}
    used = [name for name, (directory, key) in found.items() if not remove_image(directory, key)]
    remove_layers(own)
    for name in images:
        if name not in used:
            out.print(f"Removed {name}.", markup=False)
    if used:
        raise CommandError(f"In use: {', '.join(used)}.", "Stop the jobs and endpoints that use them first.")


@app.command()
def prune(
    days: Annotated[float, typer.Option(min=0, help="Those that no instance began to use for so long.")] = 30.0,
) -> None:
    """Delete images that were not used for a while, and what interrupted downloads left."""
    from rich.filesize import decimal

    from clary.cli.console import out
    from clary.images.store import remove_image, remove_layers, stored_images, unpacked_images

    settings = load_settings()
    both: list[Stored | Unpacked] = [*stored_images(settings.environments), *unpacked_images(settings.images)]
    old = [each for each in both if each.image is None or time.time() - each.used > days * DAY]
    gone = [each for each in old if remove_image(each.directory.parent, each.key)]
    remove_layers(settings.images)
    for each in gone:
        out.print(f"Removed {each.name or 'an unfinished download'}.", markup=False)
    out.print(f"{len(gone)} removed, {decimal(sum(each.size for each in gone))}.")


def _recipe(name: str) -> Any:
    from clary.images.table import UnknownImage, find_recipe

    try:
        return find_recipe(name)
    except UnknownImage as error:
        raise CommandError(str(error)) from None


def _find(name: str) -> tuple[Path, str]:
    """Where an image lies, and its key there."""
    from clary.engines.interpreters import find_interpreters
    from clary.images.store import unpacked_images

    settings = load_settings()
    for each in unpacked_images(settings.images):
        if each.name and name in (each.name, each.name.partition("/")[2]):
            return settings.images, each.key
    key: str = _recipe(name).key(find_interpreters())
    if not (settings.environments / key).is_dir():
        raise CommandError(
            f"The image {name} is not in {settings.environments}.", "See what is there: clary images list"
        )
    return settings.environments, key


def _describe_own(own: Unpacked) -> dict[str, Any]:
    described: dict[str, Any] = {"key": own.key, "bytes": own.size, "last_used": own.used}
    if own.image is None:
        return {**described, "complete": False}
    image = own.image
    return {**described, "complete": True, "image": image.reference, "digest": image.digest, "built": image.built}


def _describe(stored: Stored) -> dict[str, Any]:
    image = stored.image
    described: dict[str, Any] = {"key": stored.key, "bytes": stored.size, "last_used": stored.used}
    if image is None:
        return {**described, "complete": False}
    return {
        **described,
        "complete": True,
        "image": image.recipe.name,
        "framework": image.recipe.title,
        "version": image.version,
        "interpreter": image.interpreter,
        "built": image.built,
        "notice": image.notice,
    }


def _show(stored: list[Stored], own: list[Unpacked]) -> None:
    from rich import box
    from rich.filesize import decimal
    from rich.table import Table

    from clary.cli.console import clock, out

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Image", overflow="fold")  # a name is there to be copied
    for column in ("Holds", "Python", "Last used"):
        table.add_column(column, no_wrap=True)
    table.add_column("Size", no_wrap=True, justify="right")
    for each in stored:
        if each.image is None:
            table.add_row("(an unfinished download)", "", "", clock(each.used), decimal(each.size))
            continue
        holds = f"{each.image.recipe.title} {each.image.version}".rstrip()
        python = each.image.interpreter.rpartition("python")[2]
        table.add_row(each.name, holds, python, clock(each.used), decimal(each.size))
    for mine in own:
        holds = "your own" if mine.image else ""
        table.add_row(mine.name or "(an unfinished download)", holds, "", clock(mine.used), decimal(mine.size))
    out.print(table)
