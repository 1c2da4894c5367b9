"""A picture in; a mask out as PNG, or the probability of each class for each pixel as a protobuf record.

The record has two features: `target` the probabilities, and `shape` how they lie: 1, classes, height, width. Sources:
https://docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation.html ("Produce Inferences"), and AWS's notebook
semantic_segmentation_pascalvoc, which reads them.
"""

import io

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import RECORDIO, parse_content_type
from clary.algorithms.kit.serving import execution_parameters
from clary.algorithms.semantic_segmentation.network import build
from clary.algorithms.semantic_segmentation.views import at_size, longer_side
from clary.algorithms.vision.examples import IMAGE
from clary.algorithms.vision.pictures import decode, pixels
from clary.algorithms.vision.weights import read
from clary.toolkits.http import Request, Response
from clary.toolkits.recordio_writing import write_tensors

PICTURES = ("image/jpeg", "image/png", IMAGE)
PNG, PROTOBUF = "image/png", "application/x-protobuf"
ANSWERS = (PNG, PROTOBUF, RECORDIO)


class MaskService:
    def load(self, directory: str) -> None:
        weights, self._facts = read(directory)
        self._network = build(*(self._facts[name] for name in ("algorithm", "backbone", "num_classes")))
        self._network.load_state_dict(weights)
        self._network.eval()

    def execution_parameters(self) -> Response:
        return execution_parameters()

    def invoke(self, request: Request) -> Response:
        media, _ = parse_content_type(request.headers.get("content-type") or IMAGE)
        accept, _ = parse_content_type(request.headers.get("accept", "").split(",")[0])
        accept = PNG if accept in ("", "*/*", "image/*") else accept
        if media not in PICTURES:
            return Response(f"Content-type {media} is not supported: send {', '.join(PICTURES)}.", status=415)
        if accept not in ANSWERS:
            return Response(f"Accept type {accept} is not supported: ask for {', '.join(ANSWERS)}.", status=406)
        try:
            shares = self._shares(decode(request.body, 3))
        except UserError as error:
            return Response(f"Unable to evaluate payload provided: {error}", status=400)
        return Response(_mask(shares) if accept == PNG else _record(shares), accept)

    def _shares(self, picture: Image.Image) -> Tensor:
        """`(1, classes, height, width)` of the picture, which the network sees at the size that it learned at."""
        seen = pixels(at_size(picture, longer_side(picture.size, self._facts["base_size"])))
        with torch.inference_mode():
            scores = self._network(torch.from_numpy(seen)[None])["out"]
            size = picture.height, picture.width
            return interpolate(scores, size, mode="bilinear", align_corners=False).softmax(dim=1)


def _mask(shares: Tensor) -> bytes:
    file = io.BytesIO()
    Image.fromarray(shares[0].argmax(dim=0).numpy().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _record(shares: Tensor) -> bytes:
    return write_tensors([{"target": shares.numpy().ravel(), "shape": np.array(shares.shape)}])
