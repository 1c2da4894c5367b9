"""Which of a machine's GPUs an instance is given: whole ones for itself alone, or a share of one.

Shares are packed onto as few as possible, so that whole ones stay free. Devices are told apart by the minor number of
their files, /dev/nvidia<minor>; a program sees its own alone and counts them from 0, as CUDA does.
"""

from __future__ import annotations

import glob
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from clary.engines.answers import ROUNDING
from clary.engines.line import NoRoom

DEVICES = "/dev/nvidia[0-9]*"


@dataclass(frozen=True, slots=True)
class Grant:
    devices: Sequence[int] = ()
    share: float = 1.0
    """Of each."""
    shared: bool = False
    """Whether others have the same, though whole ones were promised."""


def machine_gpus() -> list[int]:
    """Minor numbers."""
    found = (re.fullmatch(r"/dev/nvidia(\d+)", path) for path in glob.glob(DEVICES))
    return sorted(int(match[1]) for match in found if match)


def offered(devices: Sequence[int], count: int) -> list[int]:
    """So many of them; an operator who says more than there are is believed, and the rest have no files."""
    first = devices[-1] + 1 if devices else 0
    return [*devices, *range(first, first + count)][:count]


def give(wanted: float, devices: Sequence[int], held: Iterable[Grant], *, oversubscribe: bool) -> Grant:
    """Raises `NoRoom` where there is none, unless GPUs may be shared by more than they are enough for."""
    load = dict.fromkeys(devices, 0.0)
    for grant in held:
        for device in grant.devices:
            load[device] = load.get(device, 0.0) + grant.share
    share = wanted if wanted < 1 else 1.0
    count = math.ceil(wanted)
    # The fullest first that have room, and where none has, the emptiest.
    rooms = sorted((each for each in devices if load[each] + share <= 1 + ROUNDING), key=lambda each: -load[each])
    if len(rooms) >= count:
        return Grant(sorted(rooms[:count]), share)
    if not oversubscribe:
        raise NoRoom
    chosen = sorted(sorted(devices, key=load.__getitem__)[:count])
    return Grant(chosen, share, shared=any(load[each] for each in chosen))


def visible_devices(grant: Grant, devices: Sequence[int], *, contained: bool) -> dict[str, str]:
    """Variables by which CUDA finds what was granted, and nothing else where there is no sandbox around it."""
    if contained:
        # Only the files of these are there, and the driver counts what is there.
        numbers = list(range(len(grant.devices)))
    else:
        numbers = [devices.index(device) if device in devices else device for device in grant.devices]
    if not numbers and (contained or not devices):
        return {}
    return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": ",".join(map(str, numbers))}
