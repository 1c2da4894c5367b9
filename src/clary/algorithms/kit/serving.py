"""What serves an algorithm whose requests are rows of features.

    body ─ Content-Type ─▶ rows ─▶ Model.predict ─▶ columns ─ Accept ─▶ answer

415 for a format that cannot be read, 406 for one that cannot be written, 400 for rows that do not fit the model.
"""

import json
import os

import numpy as np

from clary.algorithms.errors import UserError
from clary.algorithms.kit.base import RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import CSV, parse_content_type
from clary.algorithms.kit.formats import JSON, READERS, WRITTEN, read_request, write_answer
from clary.toolkits.http import Request, Response
from clary.toolkits.server import MEBIBYTE

MAX_PAYLOAD = 100 * MEBIBYTE
"""The most that a batch transform sends at once."""
PAYLOAD = 6
"""Megabytes that a batch transform is asked to send."""


class RowService:
    def __init__(self, algorithm: RowAlgorithm) -> None:
        self._algorithm = algorithm

    def load(self, directory: str) -> None:
        self._model = self._algorithm.load(directory)

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        accept, options = accepted(request)
        if accept not in WRITTEN:
            return Response(f"Accept type {accept} is not supported: ask for {', '.join(WRITTEN)}.", status=406)
        media, _ = parse_content_type(request.headers.get("content-type") or CSV)
        if media not in READERS:
            return Response(f"Content-type {media} is not supported: send {', '.join(READERS)}.", status=415)
        try:
            batch = self._checked(read_request(request.body, media, self._model.feature_dim))
            return Response(write_answer(self._model.predict(batch, options), accept, self._algorithm.answers), accept)
        except (UserError, ValueError, TypeError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)

    def _checked(self, batch: Batch) -> Batch:
        if not len(batch):
            raise UserError("there are no rows in it.")
        if batch.width != self._model.feature_dim:
            raise UserError(f"its rows have {batch.width} features, and the model's have {self._model.feature_dim}.")
        values = batch.features if isinstance(batch.features, np.ndarray) else batch.features.data
        if not np.isfinite(values).all():
            raise UserError("a feature is no finite number.")
        return batch


def accepted(request: Request) -> tuple[str, dict[str, str]]:
    """The format that is asked for, JSON where none is, and the parameters that came with it."""
    media, options = parse_content_type(request.headers.get("accept", "").split(",")[0])
    return (JSON if media in ("", "*/*", "application/*") else media), options


def execution_parameters() -> Response:
    parameters = {
        "MaxConcurrentTransforms": len(os.sched_getaffinity(0)),
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": PAYLOAD,
    }
    return Response(json.dumps(parameters), JSON)
