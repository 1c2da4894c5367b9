"""A picture in; {"prediction": [[class, score, left, top, right, bottom], …]} out, places as shares of its size.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-in-formats.html
"""

import json

import torch

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import parse_content_type
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.algorithms.kit.serving import accepted, execution_parameters
from clary.algorithms.object_detection.finding import find
from clary.algorithms.object_detection.network import build
from clary.algorithms.vision.examples import IMAGE
from clary.algorithms.vision.pictures import decode, pixels
from clary.algorithms.vision.weights import read
from clary.toolkits.http import Request, Response

PICTURES = (IMAGE, "image/jpeg", "image/png")


class DetectionService:
    def load(self, directory: str) -> None:
        weights, self._facts = read(directory)
        self._network = build(*(self._facts[name] for name in ("base_network", "num_classes", "image_shape")))
        self._network.load_state_dict(weights)
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
            picture = decode(request.body, 3)
        except UserError as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        side = self._facts["image_shape"]
        seen = torch.from_numpy(pixels(picture.resize((side, side))))[None]
        found = find(self._network, seen, self._facts["nms_threshold"])[0]
        end = "\n" if accept == JSONLINES else ""
        return Response(json.dumps({"prediction": found.tolist()}) + end, accept)
