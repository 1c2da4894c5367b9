"""The models of a server, each with a thread of its own that alone calls it, so that a model needs no locks.

    loop ── ask(request, reply) ──▶ queue ──▶ thread: load, then one request after the other ──▶ reply, on the loop

`OneModel` is what a container usually serves. `ManyModels` are loaded and unloaded while it serves, as AWS's contract
for containers of multi-model endpoints has it ("Custom Containers Contract for Multi-Model Endpoints").
"""

import asyncio
import ctypes
import gc
import http
import json
import sys
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol, runtime_checkable
from urllib.parse import unquote

from clary.toolkits.batching import Batch
from clary.toolkits.http import Reply, Request, Response

MAX_WAITING = 1024
"""Requests that may wait for one model."""


class Service(Protocol):
    """What is served. All methods are called on one thread, `load` first."""

    def load(self, directory: str) -> None:
        """Load the model that lies in `directory`. Raises where it cannot; the traceback goes to the log."""

    def invoke(self, request: Request) -> Response:
        """Answer one invocation. An exception is answered with 500 and its traceback."""
        ...

    def execution_parameters(self) -> Response:
        """Answer what batch transform asks before it begins; 404 where the model has no opinion."""
        ...


@runtime_checkable
class Batching(Service, Protocol):
    """A service that may answer several invocations by one prediction."""

    batches: bool
    """Whether it can, with the model that it has loaded."""

    def invoke_many(self, requests: list[Request]) -> list[Response]:
        """Answer each of them. After an exception each is invoked alone."""
        ...


Load = Callable[[str], Service]
"""Gives a service with the model that lies in a directory. Raises where it cannot be loaded."""


class Model:
    """One service and its thread. All methods belong to the loop."""

    def __init__(self, load: Load, directory: str, loaded: Callable[[BaseException | None], None]) -> None:
        """`loaded` is told, on the loop, what kept the model from being loaded, or None."""
        self._loop = asyncio.get_running_loop()
        self._requests: SimpleQueue[tuple[Request, Reply] | None] = SimpleQueue()
        self._waiting = 0
        threading.Thread(target=self._run, args=(load, directory, loaded), name="model", daemon=True).start()

    def ask(self, request: Request, reply: Reply) -> None:
        if self._waiting >= MAX_WAITING:
            reply(Response("Too many requests wait for the model.", status=503))
            return
        self._waiting += 1
        self._requests.put((request, reply))

    def end(self, ended: Callable[[], None]) -> None:
        """Answer what waits, let the model go, and only then call `ended`."""
        self._ended = ended
        self._requests.put(None)

    def _answered(self, reply: Reply, response: Response) -> None:
        self._waiting -= 1
        reply(response)

    def _run(self, load: Load, directory: str, loaded: Callable[[BaseException | None], None]) -> None:
        try:
            service = load(directory)
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            self._loop.call_soon_threadsafe(loaded, error)
            return
        self._loop.call_soon_threadsafe(loaded, None)
        batch = Batch.of_environment() if isinstance(service, Batching) and service.batches else Batch()
        while items := batch.take(self._requests):
            for (_, reply), response in zip(items, _answer(service, [request for request, _ in items]), strict=True):
                self._loop.call_soon_threadsafe(self._answered, reply, response)
        del service
        _return_memory()
        self._loop.call_soon_threadsafe(self._ended)


class Models(Protocol):
    ready: bool
    """Whether `/ping` is answered with 200."""

    def handle(self, request: Request, reply: Reply) -> None:
        """Any request but a ping."""


class OneModel:
    def __init__(self, load: Load, directory: str, failed: Callable[[], None]) -> None:
        self.ready = False
        self._failed = failed
        self._model = Model(load, directory, self._loaded)

    def handle(self, request: Request, reply: Reply) -> None:
        route = (request.method, path_of(request))
        if route in (("POST", "/invocations"), ("GET", "/execution-parameters")):
            self._model.ask(request, reply)
        else:
            reply(unknown(request))

    def _loaded(self, error: BaseException | None) -> None:
        self.ready = error is None
        if error:
            self._failed()


class ManyModels:
    ready = True

    def __init__(self, load: Load) -> None:
        self._load_service = load
        self._models: dict[str, Model] = {}
        """By name, as the platform gave it; those that are being loaded among them."""
        self._loaded: dict[str, str] = {}
        """Name → directory."""

    def handle(self, request: Request, reply: Reply) -> None:
        match request.method, *(unquote(part) for part in path_of(request).split("/")):
            case "POST", "", "models":
                self._load(request, reply)
            case "GET", "", "models":
                reply(_json({"models": [_told(name, directory) for name, directory in self._loaded.items()]}))
            case _, "", "models", name, *_ if name not in self._loaded:
                reply(Response(f"The model {name} is not loaded.", status=404))
            case "GET", "", "models", name:
                reply(_json(_told(name, self._loaded[name])))
            case "DELETE", "", "models", name:
                self._unload(name, reply)
            case "POST", "", "models", name, "invoke":
                self._models[name].ask(request, reply)
            case _:
                reply(unknown(request))

    def _load(self, request: Request, reply: Reply) -> None:
        try:
            wanted = json.loads(request.body)
            name, directory = str(wanted["model_name"]), str(wanted["url"])
        except (ValueError, KeyError, TypeError):
            reply(Response("Give a JSON object with model_name and url.", status=400))
            return
        if name in self._models:
            reply(Response(f"The model {name} is loaded already.", status=409))
            return

        def loaded(error: BaseException | None) -> None:
            if error is None:
                self._loaded[name] = directory
                reply(_json(_told(name, directory)))
            else:
                del self._models[name]
                reply(_not_loaded(name, error))

        self._models[name] = Model(self._load_service, directory, loaded)

    def _unload(self, name: str, reply: Reply) -> None:
        del self._loaded[name]
        self._models.pop(name).end(lambda: reply(_json({"status": f"Model {name} unregistered"})))


def path_of(request: Request) -> str:
    return request.target.partition("?")[0]


def unknown(request: Request) -> Response:
    return Response(f"There is no {request.method} {path_of(request)} here.", status=404)


def _answer(service: Service, requests: list[Request]) -> list[Response]:
    if len(requests) > 1:
        assert isinstance(service, Batching)
        try:
            return service.invoke_many(requests)
        except Exception:
            pass  # Whose fault that was shows when each is asked alone.
    return [_answer_one(service, request) for request in requests]


def _answer_one(service: Service, request: Request) -> Response:
    try:
        return service.execution_parameters() if request.method == "GET" else service.invoke(request)
    except (Exception, SystemExit) as error:  # A script that exits must not take the server's thread along.
        trace = traceback.format_exc()
        print(trace, file=sys.stderr, flush=True)
        return Response(f"{error}\n{trace}", status=500)


def _not_loaded(name: str, error: BaseException) -> Response:
    lacks_memory = isinstance(error, MemoryError) or "not enough memory" in str(error)
    status = http.HTTPStatus.INSUFFICIENT_STORAGE if lacks_memory else http.HTTPStatus.INTERNAL_SERVER_ERROR
    return Response(f"The model {name} could not be loaded: {type(error).__name__}: {error}", status=status)


def _told(name: str, directory: str) -> dict[str, str]:
    return {"modelName": name, "modelUrl": directory}


def _json(content: dict[str, Any]) -> Response:
    return Response(json.dumps(content), "application/json")


def _return_memory() -> None:
    """To the system: what decides whether another model can be loaded is what the process holds."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)
