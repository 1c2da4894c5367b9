"""Pictures with the objects in them: rows of class, left, top, right, bottom, as shares of the picture's size.

    RecordIO    labels of MXNet: width of the header, of an object, [more of a header,] the objects' numbers
    pictures    with a JSON file of the same name in `<channel>_annotation`
    manifest    pictures and such JSON by turns, through a pipe

Source: docs.aws.amazon.com/sagemaker/latest/dg/object-detection.html ("Input/Output Interface").
"""

import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.vision.examples import RECORDIO, Example, read_examples

Objects = NDArray[np.float32]
"""`(objects, 5)`"""
WIDTH = 5


def read_objects(job: Job, name: str, classes: int) -> list[tuple[Example, Objects]]:
    channel = job.channels[name]
    if channel.content_type == RECORDIO or channel.mode == "Pipe":
        records = not channel.wrapped
        examples = read_examples(job, name, lambda text: of_json(json.loads(text)).ravel())
        found = [(each, of_labels(each) if records else each.labels.reshape(-1, WIDTH)) for each in examples]
    else:
        found = list(_annotated(job, channel))
    if not found:
        raise no_data(name)
    for example, objects in found:
        _check(example.name, objects, classes)
    return found


def of_labels(example: Example) -> Objects:
    labels = example.labels
    try:
        header, width = int(labels[0]), int(labels[1])
        rows = labels[header : header + (len(labels) - header) // width * width].reshape(-1, width)[:, :WIDTH]
    except (LookupError, ValueError, ArithmeticError) as error:
        raise UserError(f"{example.name} has no labels of objects: two widths, then the objects' numbers.") from error
    if header < 2 or width < WIDTH:
        raise UserError(f"{example.name} says that objects have {width} numbers: they have {WIDTH} or more.")
    return np.ascontiguousarray(rows[~(rows[:, 0] < 0)])  # Those of a negative class fill up.


def of_json(said: dict[str, Any]) -> Objects:
    """Raises `LookupError`, `TypeError` or `ValueError` where it is no annotation."""
    size = said["image_size"][0]
    if not (size["width"] > 0 and size["height"] > 0):
        raise ValueError(f"image_size is {size['width']} x {size['height']}")
    rows = [
        (each["class_id"], each["left"], each["top"], each["left"] + each["width"], each["top"] + each["height"])
        for each in said["annotations"]
    ]
    scale = np.array([1, size["width"], size["height"], size["width"], size["height"]], np.float32)
    return np.array(rows, np.float32).reshape(-1, WIDTH) / scale


def _annotated(job: Job, channel: Channel) -> Iterator[tuple[Example, Objects]]:
    annotation = job.channels.get(f"{channel.name}_annotation")
    if annotation is None:
        raise UserError(f"The channel {channel.name!r} of image files needs a channel '{channel.name}_annotation'.")
    files = {_stem(path): path for path in annotation.files(0)}
    for path in channel.files(0):
        name = os.path.basename(path)
        if _stem(path) not in files:
            raise UserError(f"{name} has no annotation of its name ({_stem(path)}.json) in {annotation.name!r}.")
        with open(files[_stem(path)]) as file:
            try:
                objects = of_json(json.load(file))
            except (LookupError, TypeError, ValueError) as error:
                raise UserError(f"{_stem(path)}.json is no annotation: {error!r}") from error
        yield Example(objects.ravel(), name, path=path), objects


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _check(name: str, objects: Objects, classes: int) -> None:
    for kind, *box in objects.tolist():
        if kind not in range(classes):
            raise UserError(f"{name} has an object of class {kind:g}: classes are numbers from 0 to {classes - 1}.")
        left, top, right, bottom = box
        if not (0 <= left < right <= 1.001 and 0 <= top < bottom <= 1.001):
            corners = ", ".join(f"{each:g}" for each in box)
            raise UserError(f"{name} has an object at {corners}: that is no box within the picture.")
