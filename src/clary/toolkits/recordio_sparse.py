"""Sparse records of RecordIO-protobuf that are alike but for their lengths, found at once.

    records ─▶ lengths and tags of all, step by step as the first record has them ─▶ where values and keys lie in each

One that differs ends them: it is read by itself.
"""

from typing import NamedTuple

import numpy as np

from clary.toolkits.protobuf import DELIMITED, Abreast
from clary.toolkits.recordio_columns import Packed
from clary.toolkits.recordio_frames import Places, framed, records_at_once

AT_ONCE = 1024 * 1024
"""Bytes of which the records are read at once."""
FEW = 16
"""Records alike below which it is no gain to read them all at once."""
SHARE = 16
"""Of this many records that are looked at, one at least must be alike: the look is lost on others."""
LONG = 128
"""Bytes of the mean part from which on a slice of each costs less than a look at each byte."""
NAME = b"\n\x06values\x12"
"""The key of an entry, and the tag of its value."""


class Layout(NamedTuple):
    """What a tensor is in all records."""

    field: int
    """Of the record."""
    kind: int
    """Field of the value."""
    size: int
    """Bytes of a number, 0 of varints."""


class Tensors(NamedTuple):
    """Parts of one tensor in each record."""

    values: Packed
    keys: Packed
    shapes: Packed


def find(data: memoryview, layouts: list[Layout]) -> tuple[list[Tensors], int] | None:
    """Tensors named "values" of the first records, as many as have a sparse one and, where there is a second layout,
    so many labels as the first record; and where the next record begins. None where they are few."""
    data = data[:AT_ONCE]
    starts, stops = records_at_once(data)
    walk = Abreast(data, starts)
    found = [_tensor(walk, layout) for layout in layouts]
    values, keys, shapes = (stop - start for start, stop in found[0])
    walk.sound &= (walk.at == stops) & ((keys > 0) | ((values == 0) & (shapes > 0)))
    for layout, (labels, *_) in zip(layouts[1:], found[1:], strict=True):
        counts = labels[1] - labels[0] if layout.size else walk.varints(*labels)
        walk.sound &= counts == counts[:1]
    count = len(starts) if walk.sound.all() else int(walk.sound.argmin())
    if count < max(FEW, len(starts) // SHARE):
        return None
    parts = [Tensors(*(_gathered(data, *span, count) for span in spans)) for spans in found]
    return parts, framed(int(stops[count - 1]))


def _tensor(walk: Abreast, layout: Layout) -> list[tuple[Places, Places]]:
    """Where values, keys and shapes lie of one tensor, which all records have next."""
    walk.expect(bytes([layout.field << 3 | DELIMITED]))
    entry = walk.end()
    walk.expect(NAME)
    value = walk.end()
    walk.expect(bytes([layout.kind << 3 | DELIMITED]))
    tensor = walk.end()
    spans = [walk.field(number, tensor) for number in (1, 2, 3)]
    walk.sound &= (entry == value) & (value == tensor) & (tensor == walk.at)
    if layout.size:
        walk.sound &= (spans[0][1] - spans[0][0]) % layout.size == 0
    return spans


def _gathered(data: memoryview, starts: Places, stops: Places, count: int) -> Packed:
    """What lies between the first so many places."""
    starts, lengths = starts[:count], (stops - starts)[:count]
    if lengths.sum() > LONG * count:
        spans = zip(starts.tolist(), stops[:count].tolist(), strict=True)
        return Packed(b"".join([data[start:stop] for start, stop in spans]), lengths)
    before = np.cumsum(lengths) - lengths
    places = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return Packed(np.frombuffer(data, np.uint8)[places], lengths)
