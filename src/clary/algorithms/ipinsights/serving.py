"""How well entities and addresses go together.

    user_1, 192.168.1.2 a line (CSV), {"instances": [{"features": ["user_1", "192.168.1.2"]}]}, or an instance a line
        ─▶ {"predictions": [{"dot_product": 2.0}]}, with Accept: application/json;verbose=True both vectors, too

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-inference-data-formats.html.
"""

import json
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.ipinsights.events import Pair, encode, split
from clary.algorithms.ipinsights.model import Model
from clary.algorithms.kit.channels import CSV
from clary.algorithms.kit.formats import JSON, JSONLINES, read_lines
from clary.algorithms.kit.service import Asked, FormattedService, told


class EventService(FormattedService):
    taken = (CSV, JSON, JSONLINES)

    def load(self, directory: str) -> None:
        self._model = Model.load(directory)

    def answer(self, asked: Asked) -> str:
        verbose = asked.options.get("verbose", "").lower() == "true"
        return told(self._answer(_pairs(asked.body, asked.media), verbose), asked.accept)

    def _answer(self, pairs: list[Pair], verbose: bool) -> list[dict[str, Any]]:
        if not pairs:
            raise UserError("there are no events in it")
        found = self._model.score(encode(pairs, self._model.sizes.vectors))
        names = ("dot_product", "entity_embedding", "ip_embedding") if verbose else ("dot_product",)
        columns = [values.tolist() for values in found[: len(names)]]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _pairs(body: bytes, media: str) -> list[Pair]:
    if media == CSV:
        lines = enumerate(body.decode().splitlines(), 1)
        return list(split((f"line {number}", line) for number, line in lines if line.strip()))
    instances: Any = None
    if media == JSONLINES:
        instances = list(read_lines(body))
    elif isinstance(asked := json.loads(body), dict):
        instances = asked.get("instances")
    if not isinstance(instances, list):
        raise UserError('there is no list "instances"')
    return [_pair(f"instance {number}", instance) for number, instance in enumerate(instances)]


def _pair(where: str, instance: Any) -> Pair:
    found = instance
    for name in ("data", "features", "values"):
        if isinstance(found, dict):
            found = found.get(name, found)
    if not isinstance(found, list) or len(found) != 2:
        raise UserError(f'{where}: {json.dumps(instance):.100} has no "features" with an entity and its IPv4 address')
    return where, str(found[0]), str(found[1])
