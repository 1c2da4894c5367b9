"""Pictures with their masks: which belong together, and what the numbers of a mask mean.

    train/0.jpg ─┬─ train_annotation/0.png ─ label map ─▶ classes, 255 where a pixel counts for nothing
    pipe of a manifest: picture, mask, picture, mask …

Source: docs.aws.amazon.com/sagemaker/latest/dg/semantic-segmentation.html ("How Training Works").
"""

import io
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.vision.examples import Example, by_turns

IGNORED = 255
UNLABELLED = np.empty(0, np.float32)
MAP = "label_map"


@dataclass(frozen=True, slots=True)
class Pair:
    picture: Example
    mask: Example


class LabelMap:
    """From the numbers in a mask to classes: a scale that they are divided by, or a table of some of them."""

    def __init__(self, said: dict[str, object]) -> None:
        scale = int(str(said.get("scale", 1)))
        if scale < 1:
            raise ValueError(f"scale is {scale}")
        table = np.arange(256) // scale
        table[IGNORED] = IGNORED
        if pairs := said.get("map"):
            assert isinstance(pairs, dict)
            table = np.full(256, IGNORED)
            for label, encoded in pairs.items():
                table[int(encoded)] = int(label)
        self._table = table.astype(np.uint8)

    def classes(self, mask: Example, count: int) -> Image.Image:
        """Raises `UserError` where the mask is none, or has classes that there are not."""
        try:
            picture = Image.open(io.BytesIO(mask.encoded()))
            picture.load()
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
            raise UserError(f"{mask.name} cannot be read as a picture: {error}") from error
        if picture.mode not in ("1", "L", "P"):
            raise UserError(f"{mask.name} has the mode {picture.mode}: an annotation has one channel of 8 bits.")
        found: NDArray[np.uint8] = self._table[np.asarray(picture, np.uint8)]
        if (strange := found[(found >= count) & (found != IGNORED)]).size:
            raise UserError(f"{mask.name} has the class {strange[0]}: classes are numbers from 0 to {count - 1}.")
        return Image.fromarray(found)


def read_map(job: Job, name: str) -> LabelMap:
    """That of a channel, `<name>_label_map.json`; without one the numbers of masks are the classes."""
    channel = job.channels.get(MAP)
    wanted = f"{name}_{MAP}.json"
    path = next((path for path in (channel.files(0) if channel else []) if os.path.basename(path) == wanted), None)
    if path is None:
        return LabelMap({})
    with open(path) as file:
        try:
            return LabelMap(json.load(file))
        except (ValueError, TypeError, AttributeError, AssertionError, LookupError, ZeroDivisionError) as error:
            raise UserError(f'{wanted} is no label map ({{"scale": …}} or {{"map": {{…}}}}): {error}') from error


def read_pairs(job: Job, name: str) -> list[Pair]:
    channel = job.channels[name]
    found = list(_from_manifest(channel) if channel.mode == "Pipe" else _files(job, channel))
    if not found:
        raise no_data(name)
    return found


def _files(job: Job, channel: Channel) -> Iterator[Pair]:
    annotation = job.channels.get(f"{channel.name}_annotation")
    if annotation is None:
        raise UserError(f"The channel {channel.name!r} of image files needs a channel '{channel.name}_annotation'.")
    masks = {_stem(path): path for path in annotation.files(0)}
    for path in channel.files(0):
        mask = masks.get(_stem(path))
        if mask is None:
            raise UserError(
                f"{os.path.basename(path)} has no annotation of its name ({_stem(path)}.png) in {annotation.name!r}."
            )
        yield Pair(_file(path), _file(mask))


def _file(path: str) -> Example:
    return Example(UNLABELLED, os.path.basename(path), path=path)


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _from_manifest(channel: Channel) -> Iterator[Pair]:
    for where, picture, mask in by_turns(channel, "a mask"):
        yield Pair(
            Example(UNLABELLED, f"The image of {where}", picture), Example(UNLABELLED, f"The mask of {where}", mask)
        )
