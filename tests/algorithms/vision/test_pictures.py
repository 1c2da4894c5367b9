"""How pictures are varied, by the library that the image has."""

import pytest

from tests.algorithms.walk import reference

# A picture whose left half is red and whose right half is blue, with a green bar above. Each kind is drawn 300 times.
PROGRAM = """
import json
import numpy as np
from PIL import Image
from clary.algorithms.vision.pictures import stacked, vary

ground = np.zeros((32, 40, 3), np.uint8)
ground[:, :20, 0], ground[:, 20:, 2], ground[:4] = 200, 200, (0, 200, 0)
picture = Image.fromarray(ground)
drawn = {}
for how in (None, "crop", "crop_color", "crop_color_transform"):
    several = [[vary(picture, 24, 24, how, np.random.default_rng(seed)) for seed in range(300)] for _ in range(2)]
    drawn[how], again = map(stacked, several)
    assert (drawn[how] == again).all()
lights = stacked([vary(picture.convert("L"), 24, 24, "crop_color", np.random.default_rng(seed)) for seed in range(300)])
crops = drawn["crop"].astype(int)
print(json.dumps({
    "shapes": [list(each.shape) for each in drawn.values()],
    "same": bool((drawn[None] == drawn[None][0]).all()),
    "mirrored": float((crops[:, -1, 0, 2] > crops[:, -1, 0, 0]).mean()),
    "heights": np.unique((crops[..., 1] == 200).all(axis=2).sum(axis=1)).tolist(),
    "colours": [len(np.unique(each.reshape(-1, 3), axis=0)) for each in drawn.values()],
    "grey": list(lights.shape),
    "lightness": float(lights[:, -1].astype(int).max(axis=1).std()),
}))
"""


def test_each_kind_of_variation_adds_to_the_last() -> None:
    found = reference("image-classification:1", PROGRAM)
    assert found["shapes"] == [[300, 24, 24, 3]] * 4
    assert found["same"]
    assert found["mirrored"] == pytest.approx(0.5, abs=0.12)
    assert found["heights"] == [0, 1, 2, 3, 4]
    none, crop, coloured, bent = found["colours"]
    assert crop == 3
    assert crop < none < coloured < bent
    assert found["grey"] == [300, 24, 24, 1]
    assert 20 < found["lightness"] < 40  # Evenly spread from -50 to 50: 29.
