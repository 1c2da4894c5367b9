"""`clary images pull` while it works: a line for each image, with how far it has come."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Self

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from clary.cli.console import err
from clary.cli.errors import CommandError
from clary.engines.tools import machine_tools
from clary.instance.environments.store import Held, provide
from clary.instance.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from clary.instance.environments.recipe import Recipe

STEPS = 4
"""Programs that a build runs where the exact version is to be had: resolve, make, install, compile."""
REASON_ROOM = 1000


class Pulling:
    def __init__(self) -> None:
        columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description}", markup=False), BarColumn(20))
        self._progress = Progress(*columns, TimeElapsedColumn(), console=err)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def pull(self, recipe: Recipe, environments: Path) -> Held:
        task = self._progress.add_task(recipe.name, total=STEPS)
        try:
            held = provide(machine_tools(environments), recipe, _Shown(self._progress, task))
        except Refused as refused:
            raise CommandError(str(refused).removeprefix("InternalServerError: ")) from None
        text = "downloaded" if held.built else "already here"
        holds = f"{recipe.title} {held.image.version}".rstrip()
        self._progress.update(task, description=f"{recipe.name}: {holds}, {text}", completed=STEPS)
        if held.image.notice and not held.built:
            self._progress.console.print(held.image.notice, style="yellow", markup=False)
        return held


class _Shown:
    """Hears of a build, and shows it."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def begin(self) -> None:
        pass

    def say(self, text: str) -> None:
        self._progress.console.print(text, style="dim", markup=False)

    def check(self) -> None:
        pass

    def run(self, argv: list[str], environment: Mapping[str, str], *, aloud: bool) -> tuple[int, str]:
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, errors="replace", check=False)
        if aloud and not ended.returncode:
            self._progress.console.print(ended.stderr.rstrip(), style="dim", markup=False)
        self._progress.advance(self._task)
        return ended.returncode, ended.stderr.strip()[-REASON_ROOM:]
