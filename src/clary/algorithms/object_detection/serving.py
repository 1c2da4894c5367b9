"""A picture in; {"prediction": [[class, score, left, top, right, bottom], …]} out, places as shares of its size.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/object-detection-in-formats.html
"""

import json

import torch

from clary.algorithms.kit.device import device
from clary.algorithms.kit.formats import JSONLINES
from clary.algorithms.kit.service import Asked, FormattedService
from clary.algorithms.object_detection.finding import find
from clary.algorithms.object_detection.network import build
from clary.algorithms.vision.pictures import PICTURES, decode, pixels
from clary.algorithms.vision.weights import read


class DetectionService(FormattedService):
    taken = PICTURES

    def load(self, directory: str) -> None:
        weights, self._facts = read(directory)
        self._network = build(*(self._facts[name] for name in ("base_network", "num_classes", "image_shape")))
        self._network.load_state_dict(weights)
        self._network.to(device()).eval()

    def answer(self, asked: Asked) -> str:
        side = self._facts["image_shape"]
        seen = torch.from_numpy(pixels(decode(asked.body, 3).resize((side, side))))[None].to(device())
        found = find(self._network, seen, self._facts["nms_threshold"])[0]
        return json.dumps({"prediction": found.tolist()}) + ("\n" if asked.accept == JSONLINES else "")
