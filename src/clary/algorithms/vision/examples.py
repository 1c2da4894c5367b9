"""Images of a channel with what is said of them, in the forms that AWS documents for its algorithms on images.

    application/x-recordio   records of MXNet: flag, label, two ids, [labels,] an image file
    application/x-image      image files, told of by the lines of the channel `<name>_lst`: number, label(s), path
    augmented manifest       a pipe of wrapped records by turns: an image file, its label; either content type

Images stay encoded, and on the disk where they came in files: a pass over them decodes each when its turn comes. The
format of records is that of `mxnet.recordio.IRHeader` (mxnet.apache.org/versions/1.9, python/mxnet/recordio.py).
"""

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.files import raw_records, text_lines
from clary.algorithms.kit.job import Job, no_data
from clary.toolkits.recordio_frames import read_records

RECORDIO, IMAGE = "application/x-recordio", "application/x-image"
HEADER = struct.Struct("<IfQQ")
FILES = (IMAGE, "image/jpeg", "image/png")
"""Content types of channels of image files."""
LISTED = "_lst"
"""After a channel's name that of the one that lists its images."""

Labels = NDArray[np.float32]
Parse = Callable[[str], Labels]
"""From a label of a manifest."""


@dataclass(frozen=True, slots=True)
class Example:
    labels: Labels
    name: str
    """What it is called in messages."""
    held: bytes | memoryview = b""
    """The image file, where it is not one on the disk, or lies in another one."""
    path: str = ""

    def encoded(self) -> bytes:
        if not self.path:
            return bytes(self.held)
        with open(self.path, "rb") as file:
            return file.read()


def read_examples(job: Job, name: str, parse: Parse) -> list[Example]:
    """All of a channel; raises `UserError` where one is not as it must be, and where there are none."""
    channel = job.channels[name]
    if channel.wrapped:
        found = [_labelled(*pair, parse) for pair in by_turns(channel, "a label")]
    elif channel.content_type == RECORDIO:
        found = [example for path in channel.files(0) for example in _records(path)]
    elif channel.mode == "Pipe":
        raise UserError(f"The channel {name!r} gives image files through a pipe: set RecordWrapperType to RecordIO.")
    else:
        found = list(_listed(job, channel))
    if not found:
        raise no_data(name)
    return found


def _records(path: str) -> Iterator[Example]:
    for where, record in raw_records(path):
        yield _example(record, where)


def _example(record: bytes | memoryview, name: str) -> Example:
    if len(record) < HEADER.size:
        raise UserError(f"{name} is too short to hold an image.")
    count, label, _, _ = HEADER.unpack_from(record)
    body = record[HEADER.size :]
    if not count:
        return Example(np.array([label], np.float32), name, body)
    if len(body) < 4 * count:
        raise UserError(f"{name} is too short to hold {count} labels.")
    return Example(np.frombuffer(body, "<f4", count), name, body[4 * count :])


def _listed(job: Job, channel: Channel) -> Iterator[Example]:
    listing = job.channels.get(channel.name + LISTED)
    if listing is None:
        raise UserError(
            f"The channel {channel.name!r} of image files needs a channel {channel.name + LISTED!r}, which lists them."
        )
    if not channel.files(0):
        raise no_data(channel.name)
    for path in listing.files(0):
        for where, line in text_lines(path):
            yield _of_line(channel, line, where)


def _of_line(channel: Channel, line: str, where: str) -> Example:
    *labels, name = line.rstrip("\n").split("\t")[1:] or [""]
    try:
        numbers = np.array([float(label) for label in labels], np.float32)
    except ValueError as error:
        raise UserError(f"{where} has a label that is no number: {error}") from error
    if not labels:
        raise UserError(f"{where} is not number, label and path with tabs between.")
    path = os.path.normpath(os.path.join(channel.directory, name.strip()))
    if not path.startswith(channel.directory + os.sep) or not os.path.isfile(path):
        raise UserError(f"{where} names the image {name.strip()!r}, which is not in the channel {channel.name!r}.")
    return Example(numbers, name.strip(), path=path)


def by_turns(channel: Channel, second: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Of each line of an augmented manifest how it is called, its image, and what is said of that, `second`."""
    with open(channel.files(0)[0], "rb") as stream:
        records = read_records(stream)
        try:
            for number, image in enumerate(records, 1):
                said = next(records, None)
                if said is None:
                    raise UserError(
                        f"The augmented manifest of {channel.name!r} gives an image without {second}: name both in "
                        "AttributeNames, the image first."
                    )
                yield f"line {number} of the manifest of {channel.name!r}", image, said
        except ValueError as error:
            raise UserError(f"The pipe of {channel.name!r} gives no records: {error}") from error


def _labelled(where: str, image: bytes, label: bytes, parse: Parse) -> Example:
    try:
        return Example(parse(label.decode()), f"The image of {where}", image)
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"The label of {where} cannot be read: {error}") from error
