"""Colours as hue, lightness and saturation (Joblove and Greenberg 1978), in the numbers that OpenCV has for bytes.

Hue goes round from 0 to 180, the others from 0 to 255.
"""

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
"""`(height, width, 3)`"""
ROUND, FULL = np.float32(180), np.float32(255)


def shifted(colours: NDArray[np.uint8], hue: float, saturation: float, lightness: float) -> NDArray[np.uint8]:
    """Colours with so much added to each; what passes the end of a scale stays there, but hue goes round."""
    hues, lights, pure = _taken_apart(colours.astype(np.float32) / FULL)
    lights = np.clip(lights + np.float32(lightness) / FULL, 0, 1)
    pure = np.clip(pure + np.float32(saturation) / FULL, 0, 1)
    put = _put_together(hues + np.float32(hue) * 6 / ROUND, lights, pure)
    return (put * FULL + np.float32(0.5)).astype(np.uint8)


def _taken_apart(colours: Colours) -> tuple[Colours, Colours, Colours]:
    """Hue from 0 to 6, lightness and saturation from 0 to 1."""
    red, green, blue = np.moveaxis(colours, -1, 0)
    most, least = colours.max(axis=-1), colours.min(axis=-1)
    spread, lights = most - least, (most + least) / 2
    apart = np.maximum(spread, np.float32(1e-6))
    hues = np.where(
        most == red,
        (green - blue) / apart,
        np.where(most == green, 2 + (blue - red) / apart, 4 + (red - green) / apart),
    )
    return hues, lights, spread / np.maximum(1 - np.abs(2 * lights - 1), np.float32(1e-6))


def _put_together(hues: Colours, lights: Colours, pure: Colours) -> Colours:
    """By the formula that needs no cases: each colour is the same wave of the hue, moved on by a third of the way."""
    reach = pure * np.minimum(lights, 1 - lights)
    places = (np.array([0, 4, 2], np.float32) + hues[..., None]) % 6
    # `places` are those of red, green and blue on a wave that is at its height from 5 over 0 to 1.
    wave = np.clip(np.abs(places - 3) - 1, 0, 1) * 2 - 1
    colours: Colours = lights[..., None] + reach[..., None] * wave
    return colours
