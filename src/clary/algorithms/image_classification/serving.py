"""A picture in, the probability of each class out: a JSON list, or with JSON Lines {"prediction": […]}.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html ("Input/Output Interface").
"""

import json

import torch

from clary.algorithms.errors import UserError
from clary.algorithms.image_classification.network import load
from clary.algorithms.kit.channels import parse_content_type
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.algorithms.kit.serving import accepted, execution_parameters
from clary.algorithms.vision.examples import IMAGE
from clary.algorithms.vision.pictures import decode, fit, pixels
from clary.toolkits.http import Request, Response

PICTURES = (IMAGE, "image/jpeg", "image/png")


class PictureService:
    def load(self, directory: str) -> None:
        self._network, self._facts = load(directory)
        self._network.eval()

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        media, _ = parse_content_type(request.headers.get("content-type") or IMAGE)
        accept, _ = accepted(request)
        if media not in PICTURES:
            return Response(f"Content-type {media} is not supported: send {', '.join(PICTURES)}.", status=415)
        if accept not in (JSON, JSONLINES):
            return Response(f"Accept type {accept} is not supported: ask for {JSON} or {JSONLINES}.", status=406)
        try:
            shares = self._shares(request.body)
        except UserError as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        return Response(json.dumps(shares if accept == JSON else {"prediction": shares}), accept)

    def _shares(self, encoded: bytes) -> list[float]:
        channels, height, width = self._facts["shape"]
        picture = torch.from_numpy(pixels(fit(decode(encoded, channels), height, width)))
        with torch.inference_mode():
            scores = self._network(picture[None])[0]
        found: list[float] = (scores.sigmoid() if self._facts["multi_label"] else scores.softmax(dim=0)).tolist()
        return found
