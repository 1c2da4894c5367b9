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

from clary.algorithms.kit.channels import RECORDIO
from clary.algorithms.kit.device import device
from clary.algorithms.kit.service import Asked, FormattedService
from clary.algorithms.semantic_segmentation.network import build
from clary.algorithms.semantic_segmentation.views import at_size, longer_side
from clary.algorithms.vision.pictures import PICTURES, decode, pixels
from clary.algorithms.vision.weights import read
from clary.toolkits.recordio_writing import write_tensors

PNG, PROTOBUF = "image/png", "application/x-protobuf"


class MaskService(FormattedService):
    taken = PICTURES
    given = (PNG, PROTOBUF, RECORDIO)

    def load(self, directory: str) -> None:
        weights, self._facts = read(directory)
        self._network = build(*(self._facts[name] for name in ("algorithm", "backbone", "num_classes")))
        self._network.load_state_dict(weights)
        self._network.to(device()).eval()

    def answer(self, asked: Asked) -> bytes:
        shares = self._shares(decode(asked.body, 3))
        return _mask(shares) if asked.accept == PNG else _record(shares)

    def _shares(self, picture: Image.Image) -> Tensor:
        """`(1, classes, height, width)` of the picture, which the network sees at the size that it learned at."""
        seen = pixels(at_size(picture, longer_side(picture.size, self._facts["base_size"])))
        with torch.inference_mode():
            scores = self._network(torch.from_numpy(seen)[None].to(device()))["out"]
            size = picture.height, picture.width
            return interpolate(scores, size, mode="bilinear", align_corners=False).softmax(dim=1).cpu()


def _mask(shares: Tensor) -> bytes:
    file = io.BytesIO()
    Image.fromarray(shares[0].argmax(dim=0).numpy().astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _record(shares: Tensor) -> bytes:
    return write_tensors([{"target": shares.numpy().ravel(), "shape": np.array(shares.shape)}])
