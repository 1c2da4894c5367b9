"""Scores of pairs, and embeddings of single objects.

    {"instances": [{"in0": [6, 17], "in1": [16]}]} ─▶ {"predictions": [{"scores": [0.65, 0.35]}]}
    {"instances": [{"in0": [6, 17]}]}              ─▶ {"predictions": [{"embeddings": [0.05, …]}]}
    an instance a line (jsonlines)                  ─▶ a prediction a line

Sources: https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-inference-formats.html and
object2vec-encoder-embeddings.html. INFERENCE_PREFERRED_MODE says what a GPU without room for both networks is to hold;
here both are one network.
"""

import json
from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.kit.formats import JSON, JSONLINES, read_lines
from clary.algorithms.kit.ragged import Ragged
from clary.algorithms.kit.service import Asked, FormattedService, told
from clary.algorithms.object2vec.model import Model
from clary.algorithms.object2vec.pairs import SIDES

FARTHEST = 5000


class PairService(FormattedService):
    taken = (JSON, JSONLINES)

    def load(self, directory: str) -> None:
        self._model = Model.load(directory)

    def answer(self, asked: Asked) -> str:
        return told(self._answer(_instances(asked.body, asked.media), _limits(asked.parameters)), asked.accept)

    def _answer(self, instances: list[dict[str, Any]], limits: Mapping[str, int]) -> list[dict[str, Any]]:
        """All instances have the same sides."""
        given = [name for name in SIDES if instances and name in instances[0]]
        if not given:
            raise UserError("there are no instances with in0, in1 or both")
        objects = {name: self._objects(instances, name, limits.get(name)) for name in given}
        if len(given) == 2:
            found = self._model.scores(objects["in0"], objects["in1"])
            return [{"scores": row} for row in found.tolist()]
        found = self._model.embeddings(SIDES.index(given[0]), objects[given[0]])
        return [{"embeddings": row} for row in found.tolist()]

    def _objects(self, instances: list[dict[str, Any]], name: str, longest: int | None) -> Ragged:
        side = self._model.side(SIDES.index(name), longest)
        found = []
        for number, instance in enumerate(instances):
            try:
                found.append(side.tokens(instance.get(name), name))
            except ValueError as error:
                raise UserError(f"instance {number}: {error}") from error
        return Ragged.of(found)


def _instances(body: bytes, media: str) -> list[dict[str, Any]]:
    instances: Any = None
    if media == JSONLINES:
        instances = list(read_lines(body))
    elif isinstance(asked := json.loads(body), dict):
        instances = asked.get("instances")
    if not isinstance(instances, list) or not all(isinstance(each, dict) for each in instances):
        raise UserError('there is no list "instances" of objects')
    return instances


def _limits(options: Mapping[str, str]) -> dict[str, int]:
    """`infer_max_seqlens=50,20`: how many tokens of each side are read."""
    asked = options.get("infer_max_seqlens")
    if not asked:
        return {}
    limits = [int(part) if part.strip().isdigit() else 0 for part in asked.split(",")]
    if len(limits) > len(SIDES) or not all(1 <= limit <= FARTHEST for limit in limits):
        raise UserError(f"infer_max_seqlens={asked} is not one or two numbers from 1 to {FARTHEST}")
    return dict(zip(SIDES, limits, strict=False))
