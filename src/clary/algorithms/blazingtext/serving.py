"""Answers of BlazingText: labels of sentences, or vectors of words, as the model is.

    {"instances": ["…"], "configuration": {"k": 2}}   ─▶ [{"label": ["__label__1", …], "prob": [0.9, …]}, …]
                                                       or [{"vector": [0.1, …], "word": "…"}, …]
    {"source": "…", "k": 2} a line (jsonlines)         ─▶ the same, a line each

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html. A model of fastText's own is served as well.
"""

import glob
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import fasttext_pybind

from clary.algorithms.blazingtext.engine import vector_reader
from clary.algorithms.kit.formats import JSON, JSONLINES, read_lines
from clary.algorithms.kit.service import execution_parameters
from clary.toolkits.http import Request, Response


class BlazingTextService:
    def load(self, directory: str) -> None:
        found = sorted(glob.glob(os.path.join(directory, "**", "*.bin"), recursive=True))
        if not found:
            raise RuntimeError(f"No model.bin and no vectors.bin in {directory}: the model archive has neither.")
        self._model = fasttext_pybind.fasttext()
        self._model.loadModel(found[0])
        self._classifies = self._model.getArgs().model == fasttext_pybind.model_name.supervised
        self._vector = vector_reader(self._model)

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        if kind not in (JSON, JSONLINES):
            return Response(f"Content-type {kind} is not supported: send {JSON} or {JSONLINES}.", status=415)
        try:
            asked = list(_lines(request.body) if kind == JSONLINES else _instances(request.body))
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        answers = [self._answer(text, k) for text, k in asked]
        if kind == JSONLINES:
            return Response("".join(f"{json.dumps(answer)}\n" for answer in answers), JSONLINES)
        return Response(json.dumps(answers), JSON)

    def _answer(self, text: str, k: int) -> dict[str, Any]:
        if not self._classifies:
            return {"vector": self._vector(text).tolist(), "word": text}
        found = self._model.predict(text.replace("\n", " ") + "\n", k, 0.0, "replace")
        return {"label": [label for _, label in found], "prob": [min(share, 1.0) for share, _ in found]}


def _instances(body: bytes) -> Iterable[tuple[str, int]]:
    request = json.loads(body)
    if not isinstance(request, dict) or not isinstance(request.get("instances"), list):
        raise ValueError('there is no list "instances"')
    configuration = request.get("configuration") or {}
    if not isinstance(configuration, dict):
        raise ValueError(f"configuration is {configuration!r:.100}, and must be an object")
    k = _count(configuration.get("k", 1))
    return [(_text(each), k) for each in request["instances"]]


def _lines(body: bytes) -> Iterator[tuple[str, int]]:
    for number, example in enumerate(read_lines(body), 1):
        if not isinstance(example, dict) or "source" not in example:
            raise ValueError(f'example {number} has no "source"')
        yield _text(example["source"]), _count(example.get("k", 1))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.100} is no text")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError(f"k is {value!r}, and must be a whole number from 1 on")
    return value
