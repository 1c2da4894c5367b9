"""Serving of a trained model.

    body → matrix by its content type → mean of the models' predictions → CSV, JSON or JSON lines by `Accept`

Status codes and texts are those of `sagemaker-xgboost-container`: 204 for no body, 415 for a body that
cannot be read, 406 for a format that cannot be written, 400 for data that the model cannot take.
"""

import json
import os
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from clary.algorithms.errors import UserError
from clary.algorithms.xgboost import selection
from clary.algorithms.xgboost.content import format_of
from clary.algorithms.xgboost.library import RELEASE, xgboost
from clary.algorithms.xgboost.model import describe, load_ensemble
from clary.toolkits.http import Request, Response
from clary.toolkits.recordio import read_recordio
from clary.toolkits.server import MEBIBYTE, serve
from clary.toolkits.tabular import expect_many_rows, read_csv_rows, read_libsvm_rows

MAX_PAYLOAD = 20 * MEBIBYTE
DEFAULT_PAYLOAD = 6 * MEBIBYTE
ACCEPTED = ("application/json", "application/jsonlines", "text/csv")


class XgboostService:
    def load(self, directory: str) -> None:
        ensemble = os.environ.get("SAGEMAKER_INFERENCE_ENSEMBLE", "true").lower() == "true"
        self._models = load_ensemble(directory, all_of_them=ensemble)
        self._selected = os.environ.get("SAGEMAKER_INFERENCE_OUTPUT", "")
        self._batch = os.environ.get("SAGEMAKER_BATCH", "").lower() == "true"
        if self._batch:
            expect_many_rows()
        else:
            for model in self._models:
                # A row is predicted in microseconds: to share it out among threads would take longer.
                model.set_param({"nthread": 1})
        self._default_accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or "text/csv"
        self._objective, self._classes, self._width = describe(self._models[0])

    def execution_parameters(self) -> Response:
        parameters = {
            "MaxConcurrentTransforms": len(os.sched_getaffinity(0)),
            "BatchStrategy": "MULTI_RECORD",
            "MaxPayloadInMB": max_payload() // MEBIBYTE,
        }
        return Response(json.dumps(parameters), "application/json")

    def invoke(self, request: Request) -> Response:
        if not request.body:
            return Response(status=204)
        try:
            features = self._read(request.body, request.headers.get("content-type"))
        except UserError as error:
            return Response(str(error), status=415)
        try:
            predictions = self._predict(features)
        except (ValueError, xgboost.core.XGBoostError) as error:
            reason = str(error).partition("\nStack trace")[0]
            return Response(f"Unable to evaluate payload provided: {reason}", status=400)
        accept = request.headers.get("accept", "").partition(";")[0].strip().lower()
        if accept in ("", "*/*"):
            accept = self._default_accept
        if accept not in ACCEPTED:
            known = ", ".join(ACCEPTED)
            message = f"Accept type {accept} is not supported. Please use supported accept types: {known}."
            return Response(message, status=406)
        return Response(self._write(predictions, accept), accept)

    def _read(self, body: bytes, content_type: str | None) -> NDArray[np.float32] | csr_matrix:
        kind = format_of(content_type)
        try:
            if kind == "csv":
                return read_csv_rows(body.decode())
            if kind == "libsvm":
                return read_libsvm_rows(body.decode(), self._width)
            if kind == "recordio-protobuf":
                return read_recordio(body)[0]
        except (ValueError, IndexError) as error:
            raise UserError(
                f"Loading {kind} data failed with Exception, please ensure data is in {kind} format:\n"
                f" {type(error)}\n {error}"
            ) from error
        raise UserError(f"Content-type {content_type} is not supported.")

    def _predict(self, features: NDArray[np.float32] | csr_matrix) -> Any:
        rows, columns = features.shape
        if columns < self._width:
            if not isinstance(features, np.ndarray):
                features = csr_matrix((features.data, features.indices, features.indptr), (rows, self._width))
            else:
                missing = np.full((rows, self._width - columns), np.nan, dtype=np.float32)
                features = np.hstack([features, missing])
        if RELEASE < (1, 6):
            matrix = xgboost.DMatrix(features)
            predictions = [model.predict(matrix, validate_features=False) for model in self._models]
        else:
            predictions = [model.inplace_predict(features) for model in self._models]
        return predictions[0] if len(predictions) == 1 else np.mean(predictions, axis=0)

    def _write(self, predictions: Any, accept: str) -> str:
        if self._selected:
            keys = selection.keys_of(self._selected)
            records = selection.select(predictions, keys, self._objective, self._classes)
            text = selection.ENCODERS[accept](records)
            return text + "\n" if self._batch and accept == "text/csv" else text
        scores = predictions.tolist()
        if accept != "text/csv":
            return selection.ENCODERS[accept]([{"score": score} for score in scores])
        if self._batch:
            return "\n".join(map(str, scores)) + "\n"
        return ",".join(map(str, scores))


def max_payload() -> int:
    """Bytes of a request's body, as `MAX_CONTENT_LENGTH` says and at most 20 MB."""
    return min(int(os.environ.get("MAX_CONTENT_LENGTH") or DEFAULT_PAYLOAD), MAX_PAYLOAD)


def main() -> int:
    return serve(XgboostService, max_payload(), shared=True)
