"""A picture in, the probability of each class out: a JSON list, or with JSON Lines {"prediction": […]}.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html ("Input/Output Interface").
"""

import json

import torch

from clary.algorithms.image_classification.network import load
from clary.algorithms.kit.device import device
from clary.algorithms.kit.formats import JSONLINES
from clary.algorithms.kit.service import Asked, FormattedService
from clary.algorithms.vision.feeding import centred, layout
from clary.algorithms.vision.pictures import PICTURES, decode, fit, stacked


class PictureService(FormattedService):
    taken = PICTURES

    def load(self, directory: str) -> None:
        self._network, self._facts = load(directory)
        where = torch.device(device())
        self._network.eval().to(where, memory_format=layout(where))

    def answer(self, asked: Asked) -> str:
        shares = self._shares(asked.body)
        return json.dumps({"prediction": shares} if asked.accept == JSONLINES else shares)

    def _shares(self, encoded: bytes) -> list[float]:
        channels, height, width = self._facts["shape"]
        picture = torch.from_numpy(stacked([fit(decode(encoded, channels), height, width)]))
        with torch.inference_mode():
            scores = self._network(centred(picture.to(device())))[0]
        found: list[float] = (scores.sigmoid() if self._facts["multi_label"] else scores.softmax(dim=0)).tolist()
        return found
