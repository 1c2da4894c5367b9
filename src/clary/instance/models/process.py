"""Starting the model manager: a child of the agent that ends with it, and serves before the program does."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from clary.instance.layout import VIEW, Layout
from clary.instance.node import Node
from clary.instance.processes import close_all_but, die_with_parent
from clary.instance.spec import InstanceSpec, Models, Mount

if TYPE_CHECKING:
    import socket

MODELS = f"{VIEW}/models"
STORED = "models"
"""The instance's directory that the program sees as `MODELS`, to be read."""


def mount_of(layout: Layout) -> Mount:
    """Makes the directory that models are unpacked into. The program cannot put links into it."""
    os.makedirs(layout[STORED], exist_ok=True)
    return Mount(STORED, layout.root, STORED)


def start(node: Node, spec: InstanceSpec, server: str, listener: int = -1, *, contained: bool) -> None:
    """Returns once it listens, at the instance's socket or at a `listener` that is the agent's no more. `server` is the
    name of the socket in the instance's `run` at which the program is reached."""
    assert spec.models
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            close_all_but({0, 1, 2, say, listener})
            die_with_parent()
            view = MODELS if contained else Layout(node.instance).host(MODELS)
            _manage(node, spec, spec.models, f"{node.run}/{server}", view, listener, say)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.write(say, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(1)
    os.close(say)
    if listener >= 0:
        os.close(listener)
    words = os.read(said, 1024)
    os.close(said)
    if words != b".":
        raise OSError(f"models cannot be served: {words.decode(errors='replace')}")


def _manage(node: Node, spec: InstanceSpec, models: Models, server: str, view: str, listener: int, say: int) -> None:
    """Until it is killed."""
    import asyncio

    from clary.instance.meter import below, memory_of
    from clary.instance.models.archives import Archives
    from clary.instance.models.cache import Cache
    from clary.instance.models.container import Container
    from clary.instance.models.door import Door
    from clary.instance.sandbox.cgroups import machine_memory

    layout, agent = Layout(node.instance), os.getppid()

    async def serve() -> None:
        container = Container(server)
        cache = Cache(
            container,
            Archives(layout[STORED], layout["scratch"], node.reserve),
            view,
            most=models.most,
            keeps=models.keeps,
            memory=min(spec.memory, machine_memory()),
            used_memory=lambda: sum(map(memory_of, below(agent))),
            patience=models.patience,
        )
        await Door(container, cache, models.secret).open(_listening(node, listener))
        os.write(say, b".")
        os.close(say)
        await asyncio.Event().wait()

    asyncio.run(serve())


def _listening(node: Node, listener: int) -> socket.socket:
    import socket

    from clary.instance.network.relay import BACKLOG

    if listener >= 0:
        listening = socket.socket(fileno=listener)
    else:
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(f"{node.run}/server.sock")
    listening.listen(BACKLOG)
    return listening
