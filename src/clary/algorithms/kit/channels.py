"""The channels of a job: which an algorithm takes, and what came.

inputdataconfig.json ─▶ `check` against the algorithm's `Takes` ─▶ Channel: its format, its files or pipes
"""

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.algorithms.errors import UserError
from clary.toolkits.layout import opt_ml

CSV = "text/csv"
RECORDIO = "application/x-recordio-protobuf"
MODES = ("File", "FastFile", "Pipe")
SHARDED = "ShardedByS3Key"
DISTRIBUTIONS = ("FullyReplicated", SHARDED)
UNFIT = "Unable to initialize the algorithm. Failed to validate input data configuration. (caused by ValidationError)"


@dataclass(frozen=True, slots=True)
class Takes:
    """What an algorithm takes in a channel of that name."""

    name: str
    content_types: tuple[str, ...] = (RECORDIO, CSV)
    """The first is that of a channel that names none."""
    required: bool = False
    modes: tuple[str, ...] = MODES
    distributions: tuple[str, ...] = DISTRIBUTIONS


@dataclass(frozen=True, slots=True)
class Channel:
    name: str
    content_type: str
    options: Mapping[str, str] = field(default_factory=dict)
    """Parameters of the content type: `label_size=0`."""
    mode: str = "File"
    sharded: bool = False
    """Whether each instance has rows of its own, in place of all."""
    wrapped: bool = False
    """Whether its pipe gives each object, or attribute of a manifest, as a record of RecordIO."""

    @property
    def directory(self) -> str:
        return opt_ml("input", "data", self.name)

    @property
    def label_size(self) -> int:
        """Columns of a CSV before its features."""
        text = self.options.get("label_size", "1")
        if not text.isdigit():
            raise UserError(f"The content type of channel {self.name!r} has label_size={text}, which is no number.")
        return int(text)

    def files(self, epoch: int) -> list[str]:
        """In the order of their names, empty ones left out; in Pipe mode the pipe of that epoch."""
        if self.mode == "Pipe":
            return [f"{self.directory}_{epoch}"]
        found = []
        for parent, directories, names in os.walk(self.directory):
            directories.sort()
            paths = [os.path.join(parent, name) for name in sorted(names) if not name.startswith(".")]
            found += [path for path in paths if _holds_something(path)]
        return found


def check(taken: Sequence[Takes], configured: Mapping[str, Mapping[str, Any]]) -> dict[str, Channel]:
    """The channels by name; raises `UserError` where one is missing, strange or not as it may be."""
    table = {each.name: each for each in taken}
    for name in configured:
        if name not in table:
            known = ", ".join(table)
            raise UserError(
                f"{UNFIT}\n\nCaused by: Additional properties are not allowed ({name!r} was unexpected): the channels "
                f"of this algorithm are {known}"
            )
    for each in taken:
        if each.required and each.name not in configured:
            raise UserError(f"{UNFIT}\n\nCaused by: {each.name!r} is a required property")
    return {name: _channel(table[name], settings) for name, settings in configured.items()}


def _channel(takes: Takes, settings: Mapping[str, Any]) -> Channel:
    mode = settings.get("TrainingInputMode", "File")
    distribution = settings.get("S3DistributionType", "FullyReplicated")
    for value, allowed in ((mode, takes.modes), (distribution, takes.distributions)):
        if value not in allowed:
            words = ", ".join(map(repr, allowed))
            raise UserError(f"{UNFIT}\n\nCaused by: {value!r} is not one of [{words}] (channel {takes.name!r})")
    media, options = parse_content_type(settings.get("ContentType") or takes.content_types[0])
    if media not in takes.content_types:
        known = ", ".join(takes.content_types)
        raise UserError(
            f"No iterator has been registered for ContentType ({media!r}, '1.0'). The channel {takes.name!r} takes "
            f"{known}."
        )
    wrapped = mode == "Pipe" and settings.get("RecordWrapperType") == "RecordIO"
    return Channel(takes.name, media, options, mode, distribution == SHARDED, wrapped)


def parse_content_type(text: str) -> tuple[str, dict[str, str]]:
    """`text/csv; label_size=0` → ("text/csv", {"label_size": "0"})."""
    media, *parameters = (part.strip() for part in text.split(";"))
    pairs = (parameter.partition("=") for parameter in parameters if parameter)
    return media.lower(), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _holds_something(path: str) -> bool:
    found = os.stat(path)
    return stat.S_ISREG(found.st_mode) and found.st_size > 0
