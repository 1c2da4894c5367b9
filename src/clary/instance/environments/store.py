"""Environments of framework images: built once, by whoever needs one first, and shared by all who need it after.

    recipe + interpreters → key → <environments>/<key>/ complete? → its python
                                     └ no: lock → resolve → install → compile → image.json

One without its `image.json` was interrupted and is built anew. Once complete it is never changed. What its lock means
is told by `shared`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from clary.instance import shared
from clary.instance.environments.recipe import Recipe
from clary.instance.node import Tools

IMAGE = "image.json"


@dataclass(frozen=True, slots=True)
class Image:
    """`image.json`: what an environment turned out to hold."""

    recipe: Recipe
    version: str
    """Of `recipe.package`: the one that was wanted, or the nearest."""
    interpreter: str
    built: float
    notice: str = ""
    """What to tell whoever uses it: that it is not the version that was asked for."""

    def to_json(self) -> str:
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> Image:
        data = json.loads(text)
        return cls(**{**data, "recipe": Recipe(**data["recipe"])})


class Ear(shared.Ear, Protocol):
    """Who asks for an environment and hears how it comes about."""

    def run(self, argv: list[str], environment: Mapping[str, str], *, aloud: bool) -> tuple[int, str]:
        """Run a program to its end: exit status and the end of its error output. `aloud` passes its output on."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """A complete environment that nobody removes while `lock` is open."""

    image: Image
    directory: str
    lock: int
    built: bool
    """Whether it was built for this use."""

    @property
    def python(self) -> str:
        return f"{self.directory}/bin/python"


def provide(tools: Tools, recipe: Recipe, ear: Ear) -> Held:
    """The environment of `recipe`, built first where it has to be. Raises `Refused` where it cannot be."""
    key = recipe.key(tools.interpreters)
    directory = f"{tools.environments}/{key}"

    def build() -> None:
        from clary.instance.environments.building import Build

        Build(tools, recipe, directory, ear).run()

    lock, built = shared.hold(directory, IMAGE, ear, build)
    os.utime(f"{directory}/{IMAGE}")
    image = read_image(directory)
    assert image is not None
    return Held(image, directory, lock, built)


def read_image(directory: str) -> Image | None:
    """None where the environment is not complete."""
    try:
        with open(f"{directory}/{IMAGE}", encoding="utf-8") as file:
            return Image.from_json(file.read())
    except FileNotFoundError:
        return None
