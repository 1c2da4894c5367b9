"""What serves one model: requests in the formats that it takes, answers in those that it gives.

    body ─ Content-Type ─▶ answer(…) ─ Accept ─▶ body

415 for a format that is not taken, 406 for one that is not given, 400 for a request that does not fit the model.
"""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import parse_content_type
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.toolkits.http import Request, Response
from clary.toolkits.server import MEBIBYTE

MAX_PAYLOAD = 100 * MEBIBYTE
"""The most that a batch transform sends at once."""
PAYLOAD = 6
"""Megabytes that a batch transform is asked to send."""
ANYTHING = ("", "*/*", "application/*", "image/*")


class Asked(NamedTuple):
    body: bytes
    media: str
    """One of those that the service takes."""
    parameters: Mapping[str, str]
    """Of the content type."""
    accept: str
    """One of those that it gives."""
    options: Mapping[str, str]
    """That came with it: `verbose=true`."""


class FormattedService(ABC):
    taken: ClassVar[Sequence[str]]
    """Content types; the first is that of a request that names none."""
    given: ClassVar[Sequence[str]] = (JSON, JSONLINES)
    """The first is what who asks for nothing gets."""

    @abstractmethod
    def load(self, directory: str) -> None: ...

    @abstractmethod
    def answer(self, asked: Asked) -> str | bytes:
        """Raises `UserError`, `ValueError` or `TypeError` for a request that does not fit the model."""

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        media, parameters = parse_content_type(request.headers.get("content-type") or self.taken[0])
        accept, options = parse_content_type(request.headers.get("accept", "").split(",")[0])
        accept = self.given[0] if accept in ANYTHING else accept
        if media not in self.taken:
            return Response(f"Content-type {media} is not supported: send {', '.join(self.taken)}.", status=415)
        if accept not in self.given:
            return Response(f"Accept type {accept} is not supported: ask for {', '.join(self.given)}.", status=406)
        try:
            return Response(self.answer(Asked(request.body, media, parameters, accept, options)), accept)
        except (UserError, ValueError, TypeError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)


def execution_parameters() -> Response:
    parameters = {
        "MaxConcurrentTransforms": len(os.sched_getaffinity(0)),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": PAYLOAD,
    }
    return Response(json.dumps(parameters), JSON)


def told(predictions: Sequence[Any], accept: str) -> str:
    """As JSON `{"predictions": […]}`, as JSON Lines one a line."""
    if accept == JSONLINES:
        return "".join(f"{json.dumps(each)}\n" for each in predictions)
    return json.dumps({"predictions": predictions})
