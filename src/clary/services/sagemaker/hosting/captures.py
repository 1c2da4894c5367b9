"""Captured invocations, from batches of traffic to the objects that they become.

    on_traffic ─▶ a line each, appended to a file by endpoint, variant and hour ─ 20 s, or 16 MiB ─▶ an object, whole

A kill loses what is on its way to a file, a second at most; files that it leaves are taken up at the next start. Format
and names: "Data capture" of the SageMaker developer guide.
"""

import logging
import shutil
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from uuid import uuid4

import orjson

from clary.control.trouble import passes
from clary.objects.base import ObjectStore
from clary.routing.traffic import Batch, Captured
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from clary.settings import Settings

log = logging.getLogger(__name__)

WINDOW = 20.0
"""Seconds after which a file becomes an object."""
LARGEST = 16 << 20
"""Bytes after which it does so earlier."""
AGAIN = 10.0
"""Seconds until a file is tried again that could not be stored for now."""


class Place(NamedTuple):
    """What one file holds."""

    destination: str
    endpoint: str
    variant: str
    hour: int


@dataclass(slots=True)
class CaptureFile:
    path: Path
    file: BinaryIO
    size: int = 0
    began: float = field(default_factory=time.monotonic)


class CaptureFiles:
    """Safe to use from any thread."""

    def __init__(self, objects: ObjectStore, settings: Settings) -> None:
        self._objects = objects
        self._directory = settings.captures_dir
        self._reserve = settings.disk_reserve
        self._lock = threading.Lock()
        self._open: dict[Place, CaptureFile] = {}

    def take_up(self) -> None:
        """Store what a killed platform has left."""
        left = list(self._directory.glob("*.jsonl")) if self._directory.exists() else []
        threading.Thread(target=self._store_all, args=[left], name="captures", daemon=True).start()

    def on_traffic(self, batch: Batch) -> None:
        if not batch.captured:
            return
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if shutil.disk_usage(self._directory).free < self._reserve:
            log.warning("the disk is all but full: %d captured invocations are dropped", len(batch.captured))
            return
        with self._lock:
            for captured in batch.captured:
                self._write(captured)
            for captured_file in self._open.values():
                captured_file.file.flush()

    def _write(self, captured: Captured) -> None:
        invoked = captured.invoked
        place = Place(captured.config["DestinationS3Uri"], invoked.endpoint, invoked.variant, int(captured.at) // 3600)
        found = self._open.get(place)
        if found is None:
            found = self._open[place] = self._begin(place, captured.at)
            timer = threading.Timer(WINDOW, self._close, [place, found])
            timer.daemon = True
            timer.start()
        found.size += found.file.write(orjson.dumps(line_of(captured), option=orjson.OPT_APPEND_NEWLINE))
        if found.size >= LARGEST:
            del self._open[place]
            threading.Thread(target=self._close, args=[place, found], name="captures", daemon=True).start()

    def _begin(self, place: Place, at: float) -> CaptureFile:
        """The file, and beside it where it goes."""
        path = self._directory / f"{uuid4()}.jsonl"
        fresh = path.with_suffix(".new")
        fresh.write_bytes(orjson.dumps(uri_of(place, at)))
        fresh.rename(path.with_suffix(".place"))
        return CaptureFile(path, path.open("wb"))

    def _close(self, place: Place, closing: CaptureFile) -> None:
        with self._lock:
            if self._open.get(place) is closing:
                del self._open[place]
            if closing.file.closed:
                return
            closing.file.close()
        self._store(closing.path)

    def _store_all(self, paths: list[Path]) -> None:
        for path in paths:
            _drop_half_a_line(path)
            self._store(path)

    def _store(self, path: Path) -> None:
        where = path.with_suffix(".place")
        try:
            uri = orjson.loads(where.read_bytes())
            self._objects.adopt(*split_s3_uri(uri), path)
        except (JobError, KeyError) as error:
            log.warning("captured invocations are lost: %s", error)
        except Exception as error:
            if not passes(error):
                log.exception("captured invocations could not be stored; it is tried again")
            timer = threading.Timer(AGAIN, self._store, [path])
            timer.daemon = True
            timer.start()
            return
        path.unlink(missing_ok=True)
        where.unlink(missing_ok=True)


def _drop_half_a_line(path: Path) -> None:
    """Which a kill may have left."""
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def uri_of(place: Place, at: float) -> str:
    """`s3://…/endpoint/variant/2026/01/31/23/59-58-123-<uuid>.jsonl`."""
    moment = time.strftime("%Y/%m/%d/%H/%M-%S", time.gmtime(at))
    name = f"{moment}-{int(at * 1000) % 1000:03}-{uuid4()}.jsonl"
    return f"{place.destination.rstrip('/')}/{place.endpoint}/{place.variant}/{name}"


def line_of(captured: Captured) -> dict[str, Any]:
    metadata: dict[str, Any] = {"eventId": str(uuid4())}
    if captured.inference_id:
        metadata["inferenceId"] = captured.inference_id
    if captured.custom_attributes:
        metadata["customAttributes"] = [captured.custom_attributes]
    metadata["inferenceTime"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(captured.at))
    return {"captureData": dict(_data(captured)), "eventMetadata": metadata, "eventVersion": "0"}


def _data(captured: Captured) -> Iterator[tuple[str, dict[str, str]]]:
    types = captured.config.get("CaptureContentTypeHeader", {})
    for name, mode, kind, content in (
        ("endpointInput", "INPUT", captured.input_type, captured.input),
        ("endpointOutput", "OUTPUT", captured.output_type, captured.output),
    ):
        if content is not None:
            data, encoding = _encoded(content, kind, types)
            yield name, {"observedContentType": kind, "mode": mode, "data": data, "encoding": encoding}


def _encoded(content: bytes, kind: str, types: dict[str, list[str]]) -> tuple[str, str]:
    """As text where the configuration knows the content type, parameters aside, and it is text; else as base64."""
    media_type = kind.partition(";")[0].strip().lower()
    for member, encoding in (("CsvContentTypes", "CSV"), ("JsonContentTypes", "JSON")):
        if media_type in (known.lower() for known in types.get(member, [])):
            try:
                return content.decode(), encoding
            except UnicodeDecodeError:
                break
    return b64encode(content).decode(), "BASE64"
