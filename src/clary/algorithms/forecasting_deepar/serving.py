"""Forecasts on request.

    {"instances": [{"start", "target", "cat", "dynamic_feat"}],
     "configuration": {"num_samples", "output_types", "quantiles"}}
        ─▶ {"predictions": [{"quantiles": {"0.9": […]}, "samples": [[…]], "mean": […]}]}
    a series a line (jsonlines), as DEEPAR_INFERENCE_CONFIG says ─▶ a prediction a line

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/deepar-in-formats.html.
"""

import json
import os
from typing import Any

import numpy as np
import torch

from clary.algorithms.errors import UserError
from clary.algorithms.forecasting_deepar.model import Model
from clary.algorithms.forecasting_deepar.series import Numbers, Series, parse
from clary.algorithms.kit.formats import JSON, JSONLINES, read_lines
from clary.toolkits.http import Request, Response

OUTPUTS = ("mean", "quantiles", "samples")
DEFAULT: dict[str, Any] = {
    "num_samples": 100,
    "output_types": ["mean", "quantiles"],
    "quantiles": ["0.1", "0.2", "0.3", "0.4", "0.5", "0.6", "0.7", "0.8", "0.9"],
}


class DeepArService:
    def load(self, directory: str) -> None:
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self._model = Model.load(directory)
        self._batch = _configuration(json.loads(os.environ.get("DEEPAR_INFERENCE_CONFIG") or "{}"))

    def execution_parameters(self) -> Response:
        parameters = {"MaxConcurrentTransforms": 1, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 6}
        return Response(json.dumps(parameters), JSON)

    def invoke(self, request: Request) -> Response:
        kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
        try:
            if kind == JSON:
                asked = json.loads(request.body)
                if not isinstance(asked, dict) or not isinstance(asked.get("instances"), list):
                    raise UserError('there is no list "instances"')
                configuration = _configuration(asked.get("configuration") or {})
                return Response(json.dumps({"predictions": self._answers(asked["instances"], configuration)}), JSON)
            if kind == JSONLINES:
                rows = list(read_lines(request.body))
                lines = "".join(f"{json.dumps(answer)}\n" for answer in self._answers(rows, self._batch))
                return Response(lines, JSONLINES)
        except (ValueError, TypeError, UserError) as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        return Response(f"Content-type {kind} is not supported: send {JSON} or {JSONLINES}.", status=415)

    def _answers(self, rows: list[Any], configuration: dict[str, Any]) -> list[dict[str, Any]]:
        steps = self._model.plan.prediction
        series = [self._series(row, f"instance {number}", steps) for number, row in enumerate(rows)]
        if not series:
            return []
        drawn = self._model.forecast(series, configuration["num_samples"])
        return [_answer(samples, configuration) for samples in drawn]

    def _series(self, row: Any, where: str, steps: int) -> Series:
        try:
            found = parse(row)
        except (ValueError, TypeError) as error:
            raise UserError(f"{where}: {error}") from error
        return self._model.shape.fit(found, where, steps)


def _configuration(given: Any) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise UserError(f"configuration is {given!r:.100}, and must be an object")
    settled = DEFAULT | given
    count = settled["num_samples"]
    if not isinstance(count, int) or not 1 <= count <= 10_000:
        raise UserError(f"num_samples is {count!r}, and must be a whole number from 1 to 10000")
    for name in ("output_types", "quantiles"):
        if not isinstance(settled[name], list):
            raise UserError(f"{name} is {settled[name]!r:.100}, and must be a list")
    for output in settled["output_types"]:
        if output not in OUTPUTS:
            raise UserError(f"output_types has {output!r}, and may have {', '.join(OUTPUTS)}")
    for quantile in settled["quantiles"]:
        if not isinstance(quantile, str | float) or not 0 < float(quantile) < 1:
            raise UserError(f"quantiles has {quantile!r}, which is not between 0 and 1")
    return settled


def _answer(samples: Numbers, configuration: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    wanted = configuration["output_types"]
    if "quantiles" in wanted:
        levels = configuration["quantiles"]
        found = np.quantile(samples, [float(level) for level in levels], axis=0)
        answer["quantiles"] = {str(level): row.tolist() for level, row in zip(levels, found, strict=True)}
    if "samples" in wanted:
        answer["samples"] = samples.tolist()
    if "mean" in wanted:
        answer["mean"] = samples.mean(axis=0).tolist()
    return answer
