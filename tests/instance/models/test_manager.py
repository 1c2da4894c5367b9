"""The model manager before a real model server: what it loads, what it lets go, and what it does not believe."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from clary.instance.models import headers
from clary.instance.models.archives import Archives
from clary.instance.models.cache import Cache
from clary.instance.models.container import Container as Server
from clary.instance.models.door import Door
from tests.programs import tar_gz
from tests.toolkits.container import Container, UnixConnection

SECRET = "between the two"
SKLEARN = ("clary.toolkits.serve", "--framework", "sklearn")
SCRIPT = """
import os, time
def model_fn(model_dir):
    word = open(model_dir + "/word").read()
    while word == "slow" and not os.path.exists(BASE + "/go"):
        time.sleep(0.01)
    return word
def input_fn(body, content_type):
    return body
def predict_fn(data, model):
    return model
def output_fn(prediction, accept):
    return prediction, "text/plain"
"""


class Manager:
    """One in this process, before a server in a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @asynccontextmanager
    async def before(self, server: str, **options: Any) -> AsyncIterator["Manager"]:
        (self.root / "models").mkdir(exist_ok=True)
        container = Server(server)
        settings = {"most": 0, "keeps": True, "memory": 0, "used_memory": lambda: 0, "patience": 20.0, **options}
        archives = Archives(str(self.root / "models"), str(self.root), reserve=0)
        cache = Cache(container, archives, str(self.root / "models"), **settings)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.root / "door.sock"))
        listener.listen()
        door = Door(container, cache, SECRET)
        await door.open(listener)
        yield self
        del door

    async def ask(self, word: str, *, secret: str = SECRET, granted: bool = True) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers."""
        target = f"{word}.tar.gz"
        archive = self.root / target
        archive.write_bytes(tar_gz({"word": word}))
        sent = {headers.TARGET: target}
        if granted:
            sent |= {headers.LOCATION: str(archive), headers.GRANT: headers.grant(secret, target, str(archive))}
        return await asyncio.to_thread(self._ask, sent)

    def _ask(self, sent: dict[str, str]) -> tuple[int, str, dict[str, str]]:
        connection: http.client.HTTPConnection = UnixConnection(str(self.root / "door.sock"))
        connection.request("POST", "/invocations", b"x", sent)
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        return response.status, text, {name.lower(): value for name, value in response.getheaders()}


@pytest.fixture
def container(tmp_path: Path) -> Container:
    made = Container(tmp_path / "ml")
    made.code("inference.py", SCRIPT.replace("BASE", repr(str(made.root))))
    return made


async def test_what_is_not_here_is_wanted_and_only_the_platform_says_where_it_lies(container: Container) -> None:
    with container.serve(*SKLEARN, SAGEMAKER_MULTI_MODEL="true") as server:
        async with Manager(container.root).before(server.path) as manager:
            for how in ({"granted": False}, {"secret": "a guess"}):
                status, _, told = await manager.ask("one", **how)
                assert (status, told[headers.OUTCOME]) == (404, headers.WANTED)
            assert (await manager.ask("one"))[:2] == (200, "one")
            status, text, told = await manager.ask("one", granted=False)
            assert (status, text) == (200, "one")
            assert json.loads(told[headers.FIGURES])["hit"] is True
            # A server that was started anew knows none of its models.
            for model in json.loads(server.request("GET", "/models")[2])["models"]:
                server.request("DELETE", f"/models/{model['modelName']}")
            assert (await manager.ask("one", granted=False))[:2] == (200, "one")


async def test_who_waits_too_long_is_told_and_finds_it_loaded_later(container: Container) -> None:
    with container.serve(*SKLEARN, SAGEMAKER_MULTI_MODEL="true") as server:
        async with Manager(container.root).before(server.path, patience=0.2, most=1) as manager:
            status, _, told = await manager.ask("slow")
            assert (status, told[headers.OUTCOME]) == (429, headers.NOT_READY)
            (container.root / "go").touch()
            while (answer := await manager.ask("slow"))[0] == 429:
                pass
            assert answer[:2] == (200, "slow")
            assert (await manager.ask("other"))[:2] == (200, "other")


@pytest.mark.parametrize(
    ("options", "loaded"),
    [
        ({"keeps": False}, []),
        ({"most": 2}, ["b", "c"]),
        # No room is left: each makes what room it can, and is tried all the same.
        ({"memory": 100, "used_memory": lambda: 100}, ["c"]),
    ],
)
async def test_models_are_let_go(container: Container, options: dict[str, Any], loaded: list[str]) -> None:
    def words() -> list[str]:
        listed = json.loads(server.request("GET", "/models")[2])["models"]
        return sorted((Path(model["modelUrl"]) / "word").read_text() for model in listed)

    with container.serve(*SKLEARN, SAGEMAKER_MULTI_MODEL="true") as server:
        async with Manager(container.root).before(server.path, **options) as manager:
            for word in ("a", "b", "c"):
                assert (await manager.ask(word))[:2] == (200, word)
            await until(lambda: words() == loaded)


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(look):
            pass
