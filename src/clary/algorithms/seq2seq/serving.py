"""Translations on request.

    {"instances": [{"data": "a b", "configuration": {"attention_matrix": "true"}}]}
        ─▶ {"predictions": [{"target": "c d", "matrix": [[…]]}]}
    {"source": "a b"} a line (jsonlines) ─▶ {"target": "c d"} a line
    RecordIO-protobuf of numbers, the feature `source` ─▶ the feature `target`

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq.html.
"""

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import RECORDIO, parse_content_type
from clary.algorithms.kit.formats import JSON, JSONLINES, read_lines
from clary.algorithms.kit.ragged import Numbers
from clary.algorithms.kit.service import execution_parameters
from clary.algorithms.seq2seq.model import Model
from clary.algorithms.seq2seq.search import Found
from clary.algorithms.seq2seq.sentences import read_features
from clary.toolkits.http import Request, Response
from clary.toolkits.recordio_frames import read_records
from clary.toolkits.recordio_writing import write_tensors


class SequenceService:
    def load(self, directory: str) -> None:
        self._model = Model.load(directory)
        self._words = self._model.target.decoder()

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        media, _ = parse_content_type(request.headers.get("content-type") or JSON)
        answers: dict[str, Callable[[bytes], str | bytes]] = {
            JSON: self._json,
            JSONLINES: self._lines,
            RECORDIO: self._records,
        }
        answer = answers.get(media)
        if answer is None:
            return Response(f"Content-type {media} is not supported: send {', '.join(answers)}.", status=415)
        try:
            return Response(answer(request.body), media)
        except (ValueError, TypeError, UserError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)

    def _json(self, body: bytes) -> str:
        asked = json.loads(body)
        if not isinstance(asked, dict) or not isinstance(asked.get("instances"), list):
            raise UserError('there is no list "instances"')
        instances = asked["instances"]
        found = self._translate([_text(each, "data") for each in instances])
        configured = [each.get("configuration") or {} for each in instances]
        if strange := next((each for each in configured if not isinstance(each, dict)), None):
            raise UserError(f"configuration is {strange!r:.100}, and must be an object")
        predictions: list[dict[str, Any]] = []
        for configuration, each in zip(configured, found, strict=True):
            prediction: dict[str, Any] = {"target": self._sentence(each)}
            if str(configuration.get("attention_matrix", "")).lower() == "true":
                prediction["matrix"] = each.attention
            predictions.append(prediction)
        return json.dumps({"predictions": predictions})

    def _lines(self, body: bytes) -> str:
        found = self._translate([_text(row, "source") for row in read_lines(body)])
        return "".join(f"{json.dumps({'target': self._sentence(each)})}\n" for each in found)

    def _records(self, body: bytes) -> bytes:
        sources = [read_features(record) for record in read_records(io.BytesIO(body))]
        names = ("source", "values")
        numbers = [next((each[name] for name in names if name in each), np.empty(0, np.int64)) for each in sources]
        for number, each in enumerate(numbers, 1):
            if not len(each) or each.min() < 0 or each.max() >= len(self._model.source):
                raise UserError(f"record {number} has no feature source with numbers of the vocabulary's words")
        return write_tensors([{"target": np.array(each.words, np.int64)} for each in self._model.translate(numbers)])

    def _translate(self, sentences: list[str]) -> list[Found]:
        encoded: list[Numbers] = [self._model.source.encode(sentence) for sentence in sentences]
        if any(not len(each) for each in encoded):
            raise UserError("a sentence has no words")
        return self._model.translate(encoded)

    def _sentence(self, found: Found) -> str:
        return " ".join(self._words.get(number, "<unk>") for number in found.words)


def _text(instance: Any, name: str) -> str:
    if not isinstance(instance, dict) or not isinstance(instance.get(name), str):
        raise UserError(f'{json.dumps(instance):.100} has no text "{name}"')
    text: str = instance[name]
    return text
