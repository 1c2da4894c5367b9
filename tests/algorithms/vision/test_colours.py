"""Colours that change by hue, saturation and lightness, beside the standard library's own arithmetic."""

import colorsys

import numpy as np
import pytest

from clary.algorithms.vision.colours import shifted

RANDOM = np.random.default_rng(0)
COLOURS = np.concatenate(
    [RANDOM.integers(0, 256, (20, 30, 3)), np.full((1, 30, 3), 77), np.zeros((1, 30, 3)), np.full((1, 30, 3), 255)]
).astype(np.uint8)


@pytest.mark.parametrize(("hue", "saturation", "lightness"), [(0, 0, 0), (30, 20, -40), (-36, -50, 50), (5, 50, 0)])
def test_they_change_as_colorsys_has_it(hue: float, saturation: float, lightness: float) -> None:
    def one(colour: np.ndarray) -> tuple[float, ...]:
        round_, light, pure = colorsys.rgb_to_hls(*(colour / 255).tolist())
        light, pure = (min(max(part, 0), 1) for part in (light + lightness / 255, pure + saturation / 255))
        return colorsys.hls_to_rgb((round_ + hue / 180) % 1, light, pure)

    expected = np.apply_along_axis(one, -1, COLOURS.astype(float)) * 255
    assert np.abs(shifted(COLOURS, hue, saturation, lightness) - expected).max() < 0.51
