"""Decoded pictures, kept for the next pass as long as there is room for them."""

from collections.abc import Callable

from PIL import Image

from clary.algorithms.vision.examples import Example

ROOM = 512 * 1024 * 1024
"""Bytes."""


class Kept:
    def __init__(self, room: int = ROOM) -> None:
        self._left = room
        self._pictures: dict[int, Image.Image] = {}
        """By the identity of their examples."""

    def picture(self, example: Example, opened: Callable[[Example], Image.Image]) -> Image.Image:
        """What `opened` made of the example, which lasts as long as this. Threads may open different ones at once."""
        found = self._pictures.get(id(example))
        if found is None:
            found = opened(example)
            size = found.width * found.height * len(found.getbands())
            if size <= self._left:
                self._left -= size
                self._pictures[id(example)] = found
        return found
