"""The image of an instance: its environment, or its unpacked layers, which the agent waits for, makes and tells of."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from clary.instance.environments.recipe import Recipe
from clary.instance.environments.store import Held, provide
from clary.instance.errors import StopAsked
from clary.instance.log import Log
from clary.instance.node import Node, Tools
from clary.instance.own_images.oci import OciImage
from clary.instance.program import Command, Limits, run
from clary.instance.reasons import last_lines
from clary.instance.report import Report
from clary.instance.wishes import Wishes

if TYPE_CHECKING:
    from clary.instance.own_images.roots import Root

GRACE = 5.0
REASON_ROOM = 700


def pull(tools: Tools, recipe: Recipe, report: Report, wishes: Wishes) -> Held:
    """The environment of `recipe`; its lock is kept for as long as this process lives."""
    held = provide(tools, recipe, _Puller(report, wishes))
    report.status.image = held.image.notice
    if held.image.notice and not held.built:
        report.log.say(held.image.notice)
    return held


def pull_own(node: Node, image: OciImage, report: Report, wishes: Wishes) -> Root:
    """The root directory of `image`; its lock is kept for as long as this process lives."""
    from clary.instance.own_images import roots

    return roots.provide(node.images, image, node.reserve, _Puller(report, wishes))


class _Puller:
    """Hears of a build for an instance."""

    def __init__(self, report: Report, wishes: Wishes) -> None:
        self._report = report
        self._wishes = wishes

    def begin(self) -> None:
        if self._report.status.phase != "Pulling":
            self._report.enter("Pulling")

    def say(self, text: str) -> None:
        self._report.log.say(text)

    def check(self) -> None:
        self._wishes.check()

    def run(self, argv: list[str], environment: Mapping[str, str], *, aloud: bool) -> tuple[int, str]:
        log = self._report.log if aloud else Log(os.devnull, lambda: None)
        ending = run(Command(argv, dict(environment)), log, self._wishes, Limits(grace=GRACE))
        if ending.cause:
            raise StopAsked
        return ending.exit_code, last_lines(ending.tail, REASON_ROOM)
