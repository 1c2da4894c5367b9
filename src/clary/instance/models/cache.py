"""Which models the program has loaded: brought and loaded once for all who wait, the least recently used unloaded.

absent ─ bring ─▶ stored ─ make room, load ─▶ loaded ─ used … ─▶ the longest unused makes room ─▶ stored ─▶ absent
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from clary.instance.errors import Refused
from clary.instance.models.archives import Archives
from clary.instance.models.container import LOST, Container

LONGEST_LOADING = 360.0
"""Seconds for bringing and loading a model, as AWS documents."""
ALREADY_LOADED = HTTPStatus.CONFLICT


class Wanted(Exception):
    """The model's archive is not here."""


class NotReady(Exception):
    """It is still being brought or loaded."""


class NotLoaded(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Figures:
    """What an invocation tells for metrics; seconds."""

    hit: bool = True
    waited: float = 0.0
    brought: float = 0.0
    loaded: float = 0.0
    unloaded: list[float] = field(default_factory=list)
    """Of each model that made room."""
    count: int = 0
    """Models that are loaded now."""


@dataclass(slots=True)
class Model:
    target: str
    name: str
    size: int = 0
    """Bytes of its files; 0 where they are not here."""
    loaded: bool = False
    users: int = 0
    used: float = 0.0
    task: asyncio.Task[None] | None = None
    """That brings and loads it."""

    @property
    def idle(self) -> bool:
        return not self.users and self.task is None


class Cache:
    def __init__(
        self,
        container: Container,
        archives: Archives,
        view: str,
        *,
        most: int,
        keeps: bool,
        memory: int,
        used_memory: Callable[[], int],
        patience: float,
    ) -> None:
        """Below `view` the program sees models. `most` models and `memory` bytes at once, 0 is no limit; `keeps` says
        whether models stay loaded that nobody uses; a call waits for `patience` seconds."""
        self._container, self._archives, self._view = container, archives, view
        self._most, self._keeps = most, keeps
        self._memory, self._used_memory = memory, used_memory
        self._patience = patience
        self._models: dict[str, Model] = {}
        self._loading = asyncio.Lock()
        self._left = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def use(self, target: str, location: str, figures: Figures) -> AsyncIterator[Model]:
        """Within, the model is loaded, and stays so. Raises `Wanted` where its archive is not here and
        `location` does not say where it lies, `NotReady` or `NotLoaded`."""
        model = self._models.get(target)
        if model is None or not (model.size or model.task):
            if not location:
                raise Wanted
            model = self._models.setdefault(target, Model(target, _name_of(target)))
        model.users += 1
        try:
            if not model.loaded:
                await self._wait_for(model, location, figures)
            model.used = time.monotonic()
            figures.count = self._count()
            yield model
        finally:
            model.users -= 1
            self._left.set()
            if not self._keeps:
                self._start(self._let_go(model))

    async def load_again(self, model: Model, figures: Figures) -> None:
        """The program does not know a model that is used: its server was started anew, and lost it."""
        model.loaded = False
        await self._wait_for(model, "", figures)

    def _count(self) -> int:
        return sum(model.loaded for model in self._models.values())

    async def _wait_for(self, model: Model, location: str, figures: Figures) -> None:
        began = time.monotonic()
        figures.hit = False
        until = began + self._patience
        while not model.loaded:
            if model.task is None:
                model.task = self._start(self._bring_and_load(model, location, figures))
            done, _ = await asyncio.wait([model.task], timeout=max(0.0, until - time.monotonic()))
            if not done:
                raise NotReady
            await next(iter(done))
        figures.waited = time.monotonic() - began

    async def _bring_and_load(self, model: Model, location: str, figures: Figures) -> None:
        try:
            async with asyncio.timeout(LONGEST_LOADING):
                if not model.size:
                    began = time.monotonic()
                    await self._bring(model, location)
                    figures.brought = time.monotonic() - began
                async with self._loading:
                    await self._load(model, figures)
        except Refused as refused:
            raise NotLoaded(HTTPStatus.BAD_REQUEST, str(refused)) from None
        except TimeoutError:
            text = f"The model was not loaded within {LONGEST_LOADING:.0f} seconds."
            raise NotLoaded(HTTPStatus.GATEWAY_TIMEOUT, text) from None
        except LOST:
            text = "The container closed the connection before it had loaded the model."
            raise NotLoaded(HTTPStatus.BAD_GATEWAY, text) from None
        finally:
            model.task = None

    async def _bring(self, model: Model, location: str) -> None:
        while self._archives.lacks_room(location) and (other := self._longest_unused(loaded=False)):
            del self._models[other.target]
            self._archives.set_aside(other.name)
            await asyncio.to_thread(self._archives.remove, other.name)
        # At least one, so that an empty archive is known to be here.
        model.size = max(1, await asyncio.to_thread(self._archives.bring, model.name, location))

    async def _load(self, model: Model, figures: Figures) -> None:
        await self._make_room(model, figures)
        began = time.monotonic()
        while True:
            status, text = await self._container.load(model.name, f"{self._view}/{model.name}/model")
            if status // 100 == 2 or status == ALREADY_LOADED:
                break
            other = self._longest_unused() if status == HTTPStatus.INSUFFICIENT_STORAGE else None
            if other is None:
                raise NotLoaded(status, text.decode("utf-8", "replace"))
            await self._unload(other, figures)
        model.loaded = True
        figures.loaded = time.monotonic() - began

    async def _make_room(self, model: Model, figures: Figures) -> None:
        while self._most and self._count() >= self._most:
            other = self._longest_unused()
            if other is None:
                self._left.clear()
                await self._left.wait()
            else:
                await self._unload(other, figures)
        while self._memory and (other := self._longest_unused()):
            if await asyncio.to_thread(self._used_memory) + model.size <= self._memory:
                return
            await self._unload(other, figures)

    def _longest_unused(self, *, loaded: bool = True) -> Model | None:
        idle = [model for model in self._models.values() if model.idle and model.loaded == loaded and model.size]
        return min(idle, key=lambda model: model.used, default=None)

    async def _let_go(self, model: Model) -> None:
        async with self._loading:
            if model.loaded and model.idle:
                await self._unload(model, Figures())

    async def _unload(self, model: Model, figures: Figures) -> None:
        began = time.monotonic()
        model.loaded = False
        with contextlib.suppress(*LOST):
            await self._container.unload(model.name)
        figures.unloaded.append(time.monotonic() - began)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        # Who waited for it was told, unless nobody did any more.
        task.exception()


def _name_of(target: str) -> str:
    """By which the container knows it: opaque, and one part of a path."""
    return hashlib.sha256(target.encode()).hexdigest()[:32]
