"""How much a machine offers to instances: what it has, or what its operator says.

CLARY_CAPACITY="vcpus=16,memory=64GiB"   the rest is found out: here, the GPUs
"""

import os
import re
from collections.abc import Sequence

from clary.engines.answers import Place, Resources
from clary.instance.sandbox.cgroups import machine_memory

UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
ITEM = re.compile(r"(vcpus|memory|gpus)=(\d+(?:\.\d+)?)(KiB|MiB|GiB|TiB)?")


def parse_capacity(text: str, otherwise: Resources) -> Resources:
    """`otherwise` where the text does not say. Raises `ValueError` with the words for the operator."""
    found: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        match = ITEM.fullmatch(item)
        if match is None or (match[3] and match[1] != "memory"):
            raise ValueError(f"{item!r} is no capacity: say vcpus=16, memory=64GiB or gpus=2, with commas between.")
        found[match[1]] = float(match[2]) * UNITS[match[3] or ""]
    return Resources(
        found.get("vcpus", otherwise.vcpus),
        int(found.get("memory", otherwise.memory)),
        found.get("gpus", otherwise.gpus),
    )


def machine_resources(gpus: int) -> Resources:
    return Resources(float(os.cpu_count() or 1), machine_memory(), float(gpus))


def fit(wants: Sequence[Resources], places: Sequence[Place]) -> list[str] | None:
    """The name of a place for each, so that all have room at once; None where they have not.

    The largest are placed first, each where it leaves least (best fit, decreasing), so that large room stays whole.
    """
    left = {place.name: place.total - place.taken for place in places}
    chosen: dict[int, str] = {}
    for index in sorted(range(len(wants)), key=lambda each: _size(wants[each]), reverse=True):
        want = wants[index]
        rooms = [name for name, room in left.items() if want.fits(room)]
        if not rooms:
            return None
        name = min(rooms, key=lambda each: _size(left[each]))
        left[name] -= want
        chosen[index] = name
    return [chosen[index] for index in range(len(wants))]


def _size(resources: Resources) -> tuple[float, float, int]:
    return (resources.gpus, resources.vcpus, resources.memory)
