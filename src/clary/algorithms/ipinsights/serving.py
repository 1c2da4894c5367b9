"""How well entities and addresses go together.

    user_1, 192.168.1.2 a line (CSV), {"instances": [{"features": ["user_1", "192.168.1.2"]}]}, or an instance a line
        ─▶ {"predictions": [{"dot_product": 2.0}]}, with Accept: application/json;verbose=True both vectors, too

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/ip-insights-inference-data-formats.html.
"""

import json
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.ipinsights.events import encode, split
from clary.algorithms.ipinsights.model import Model
from clary.algorithms.kit.channels import CSV, parse_content_type
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.algorithms.kit.serving import accepted, execution_parameters
from clary.toolkits.http import Request, Response

MEDIA = (CSV, JSON, JSONLINES)


class EventService:
    def load(self, directory: str) -> None:
        self._model = Model.load(directory)

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        media, _ = parse_content_type(request.headers.get("content-type") or CSV)
        accept, options = accepted(request)
        if media not in MEDIA:
            return Response(f"Content-type {media} is not supported: send {', '.join(MEDIA)}.", status=415)
        if accept not in (JSON, JSONLINES):
            return Response(f"Accept type {accept} is not supported: ask for {JSON} or {JSONLINES}.", status=406)
        try:
            predictions = self._answer(_pairs(request.body, media), options.get("verbose", "").lower() == "true")
        except (ValueError, TypeError, UserError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        if accept == JSONLINES:
            return Response("".join(f"{json.dumps(each)}\n" for each in predictions), JSONLINES)
        return Response(json.dumps({"predictions": predictions}), JSON)

    def _answer(self, pairs: list[tuple[str, str]], verbose: bool) -> list[dict[str, Any]]:
        if not pairs:
            raise UserError("there are no events in it")
        found = self._model.score(encode(pairs, self._model.sizes.vectors))
        names = ("dot_product", "entity_embedding", "ip_embedding") if verbose else ("dot_product",)
        columns = [values.tolist() for values in found[: len(names)]]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _pairs(body: bytes, media: str) -> list[tuple[str, str]]:
    lines = [line for line in body.decode().splitlines() if line.strip()]
    if media == CSV:
        return [split(line) for line in lines]
    instances: Any = None
    if media == JSONLINES:
        instances = [json.loads(line) for line in lines]
    elif isinstance(asked := json.loads(body), dict):
        instances = asked.get("instances")
    if not isinstance(instances, list):
        raise UserError('there is no list "instances"')
    return [_pair(instance) for instance in instances]


def _pair(instance: Any) -> tuple[str, str]:
    found = instance
    for name in ("data", "features", "values"):
        if isinstance(found, dict):
            found = found.get(name, found)
    if not isinstance(found, list) or len(found) != 2:
        raise UserError(f'{json.dumps(instance):.100} has no "features" with an entity and its IPv4 address')
    return str(found[0]), str(found[1])
