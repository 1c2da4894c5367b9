"""A transform from its first object to its last: lanes that share the batches of all of them.

A lane has a connection to the server and one request at a time. What fails is an object, and the others go on; the end
tells of the first. What is said goes to the job's log in AWS's words.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator

from clary.instance.data.feed import decompressed, read
from clary.instance.data.staging import safe_name
from clary.instance.errors import Refused
from clary.instance.layout import Layout
from clary.instance.spec import Source, Transform
from clary.instance.transform.assembly import Assembly
from clary.instance.transform.joining import Joining, Plain, Unjoinable
from clary.instance.transform.process import others_of
from clary.instance.transform.records import BadInput, batches
from clary.instance.transform.server import Chain, Failed, execution_parameters, find_ready

MEGABYTE = 1024 * 1024
SAID = ":[sagemaker logs]: "
"""In the lines of the log that tell of the objects, between time and text."""
DEFAULT_PAYLOAD = 6
SINGLE = "SINGLE_RECORD"
NO_PING = (
    "AlgorithmError: Model container failed to respond to ping; Please ensure /ping endpoint is implemented and "
    "responds with an HTTP 200 status code"
)
REASONS = {
    "ClientError": "ClientError: See job logs for more information",
    "AlgorithmError": "AlgorithmError: See job logs for more information",
    "InternalServerError": "InternalServerError: We encountered an internal error. Please try again",
}
Batch = tuple[str, Assembly, int, bytes]


class Running:
    def __init__(self, layout: Layout, transform: Transform, say: Callable[[str], None]) -> None:
        self._layout = layout
        self._transform = transform
        self._say = say
        self._joining = Joining(transform) if transform.processes else Plain()
        self._turn = threading.Lock()
        self._telling = threading.Lock()
        self._reason = ""

    def work(self) -> str:
        """All of it. Why it failed; empty where it did not."""
        os.makedirs(self._layout[f"outputs/{self._transform.output}"], exist_ok=True)
        os.makedirs(self._layout["partial"], exist_ok=True)
        if not self._transform.items:
            return ""
        servers = [self._layout, *others_of(self._layout, self._transform)]
        addresses = [find_ready(layout, self._transform.patience) for layout in servers]
        ready = [address for address in addresses if address is not None]
        if len(ready) < len(servers):
            return NO_PING
        self._ask_how(ready[0])
        self._queue = self._batches()
        lanes = [threading.Thread(target=self._lane, args=(ready,)) for _ in range(self._lanes)]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if self._transform.listed:
            self._list()
        return self._reason

    def _list(self) -> None:
        """What was transformed."""
        pairs = zip(self._transform.keys, (item.name for item in self._transform.items), strict=True)
        done = [(key, name) for key, name in pairs if os.path.exists(self._place(name))]
        with open(self._layout[f"outputs/{self._transform.listed}"], "w", encoding="utf-8") as file:
            json.dump(done, file)

    def _place(self, name: str) -> str:
        return self._layout[f"outputs/{self._transform.output}/{name}.out"]

    def _ask_how(self, address: str) -> None:
        """What the request says comes first, then what the server does."""
        transform, told = self._transform, execution_parameters(address)
        self._lanes = transform.concurrency or _whole_number(told.get("MaxConcurrentTransforms")) or 1
        megabytes = transform.payload
        if megabytes is None:
            megabytes = _whole_number(told.get("MaxPayloadInMB")) or DEFAULT_PAYLOAD
        self._limit = megabytes * MEGABYTE
        strategy = transform.strategy or ("SingleRecord" if told.get("BatchStrategy") == SINGLE else "MultiRecord")
        self._single = strategy == "SingleRecord"
        self._log(
            f"MaxConcurrentTransforms={self._lanes}, MaxPayloadInMB={megabytes}, "
            f"BatchStrategy={SINGLE if self._single else 'MULTI_RECORD'}"
        )

    def _batches(self) -> Iterator[Batch]:
        for number, (item, key) in enumerate(zip(self._transform.items, self._transform.keys, strict=True)):
            try:
                place = self._place(safe_name(item.name))
                partial = self._layout[f"partial/{number}"]
                assembly = Assembly(partial, place, line=self._transform.line, lanes=self._lanes)
            except (Refused, OSError) as error:
                self._tell(key, Failed("ClientError", [str(error)]))
                continue
            yield from self._batches_of(item, key, assembly)

    def _batches_of(self, item: Source, key: str, assembly: Assembly) -> Iterator[Batch]:
        count = 0
        try:
            chunks = read(item)
            if self._transform.gzip:
                chunks = decompressed(item, chunks)
            for data in batches(chunks, self._transform.split, single=self._single, limit=self._limit):
                if assembly.failed:
                    return
                yield key, assembly, count, data
                count += 1
            assembly.end(count)
        except (BadInput, Refused, OSError) as error:
            self._fail(key, assembly, Failed("ClientError", [f"ClientError: {error}"]))

    def _lane(self, addresses: list[str]) -> None:
        try:
            self._invoke_all(addresses)
        except Exception as error:
            # Of Clary's own; the job must not seem to have succeeded.
            self._reason = f"InternalServerError: {type(error).__name__}: {error}"

    def _invoke_all(self, addresses: list[str]) -> None:
        server = Chain(addresses, self._transform)
        while (batch := self._next()) is not None:
            key, assembly, number, data = batch
            try:
                answer = server.invoke(self._joining.request(data))
                assembly.put(number, self._joining.keep(data, answer))
            except Failed as failed:
                self._fail(key, assembly, failed)
            except (Unjoinable, OSError) as error:
                self._fail(key, assembly, Failed("ClientError", [f"ClientError: {error}"]))

    def _next(self) -> Batch | None:
        with self._turn:
            return next(self._queue, None)

    def _fail(self, key: str, assembly: Assembly, failed: Failed) -> None:
        if assembly.fail():
            self._tell(key, failed)

    def _tell(self, key: str, failed: Failed) -> None:
        with self._telling:
            for line in failed.lines:
                self._log(f"{key}: {line}")
            self._reason = self._reason or f"{REASONS[failed.kind]}. {key}: {failed.lines[0]}"

    def _log(self, text: str) -> None:
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        self._say(f"{moment}.{int(now % 1 * 1000):03}{SAID}{text}")


def _whole_number(told: object) -> int:
    return told if isinstance(told, int) and told > 0 else 0
