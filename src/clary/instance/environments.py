"""Environments of framework images: built once, by whoever needs one first, and shared by all who need it after.

    recipe + interpreters → key → <environments>/<key>/ complete? → its python
                                     └ no: lock → resolve → install → compile → image.json

One without its `image.json` was interrupted and is built anew. Once complete it is never changed. Who uses one holds a
shared lock on it, who builds or removes it an exclusive one.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

from clary.instance.node import Tools
from clary.instance.recipe import Recipe

IMAGE = "image.json"
LOCK_LOOK = 0.1
"""Seconds between two tries for the lock of an environment that another builds."""


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


class Ear(Protocol):
    """Who asks for an environment and hears how it comes about."""

    def begin(self) -> None:
        """The environment is not there: it is downloaded now. May be called again."""
        ...

    def say(self, text: str) -> None: ...

    def check(self) -> None:
        """Raise to give up."""
        ...

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
    os.makedirs(tools.environments, exist_ok=True)
    directory = f"{tools.environments}/{key}"
    lock = os.open(f"{directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    built = False
    try:
        while True:
            _take(lock, fcntl.LOCK_SH, ear)
            image = read_image(directory)
            if image is not None:
                os.utime(f"{directory}/{IMAGE}")
                return Held(image, directory, lock, built)
            # Between the two locks another may build it, or remove it again.
            _take(lock, fcntl.LOCK_EX, ear)
            if read_image(directory) is None:
                from clary.instance.building import Build

                Build(tools, recipe, directory, ear).run()
                built = True
    except BaseException:
        os.close(lock)
        raise


def read_image(directory: str) -> Image | None:
    """None where the environment is not complete."""
    try:
        with open(f"{directory}/{IMAGE}", encoding="utf-8") as file:
            return Image.from_json(file.read())
    except FileNotFoundError:
        return None


@contextlib.contextmanager
def sole_use(directory: str) -> Iterator[bool]:
    """Whether nobody uses, or builds, the environment, nor will until this ends."""
    lock = os.open(f"{directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _try(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _take(lock: int, kind: int, ear: Ear) -> None:
    waiting = False
    while not _try(lock, kind):
        ear.check()
        if not waiting:
            ear.begin()
            ear.say("Waiting for another instance, or command, that downloads the same image.")
            waiting = True
        time.sleep(LOCK_LOOK)


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno != errno.EWOULDBLOCK:
            raise
        return False
    return True
