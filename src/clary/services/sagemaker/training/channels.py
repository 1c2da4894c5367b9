"""The channels of a training job: what may be asked of them, and what each instance gets of them.

    S3Prefix, ManifestFile ─▶ objects ─┬─ File, FastFile ─▶ files below /opt/ml/input/data/<channel>
    AugmentedManifestFile ─▶ lines ────┴─ Pipe ───────────▶ /opt/ml/input/data/<channel>_<epoch>
    FileSystemDataSource ─▶ a directory ─ File ───────────▶ it itself, at /opt/ml/input/data/<channel>

Which members go with which mode is documented at `Channel` and `S3DataSource` of the API.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.control.house import House
from clary.instance.spec import Mount, Pipe, Source
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.instances.file_systems import file_system_mount
from clary.services.sagemaker.instances.inputs import augmented_items, read_sources
from clary.services.sagemaker.training.cluster import Member, place

DATA = "/opt/ml/input/data"
ALL = (0, 1)


@dataclass(eq=False)
class Channel:
    name: str
    mode: str
    """`File`, `FastFile` or `Pipe`."""
    given: dict[str, Any]
    """As in the request."""
    items: list[list[Source]] = field(default_factory=list)
    """All that it holds, whoever gets it: objects, or what belongs to a line of an augmented manifest."""

    mount: Mount | None = None
    """A directory of the machine in place of objects."""

    @property
    def path(self) -> str:
        return f"{DATA}/{self.name}"

    @property
    def is_files(self) -> bool:
        return self.mode != "Pipe" and self.mount is None

    @property
    def source(self) -> dict[str, Any]:
        found: dict[str, Any] = self.given["DataSource"].get("S3DataSource", {})
        return found

    def place(self, member: Member, cluster: Sequence[Member]) -> tuple[int, int] | None:
        return place(self.source, member, cluster)

    def files(self, place: tuple[int, int] = ALL) -> list[Source]:
        """What an instance at this place gets."""
        first, step = place
        return [source for item in self.items for source in item][first::step]

    def pipe(self, place: tuple[int, int]) -> Pipe:
        return Pipe(
            self.items,
            gzip=self.given.get("CompressionType") == "Gzip",
            recordio=self.given.get("RecordWrapperType") == "RecordIO",
            seed=self.given.get("ShuffleConfig", {}).get("Seed"),
            place=place[0],
            places=place[1],
        )

    def configuration(self) -> dict[str, str]:
        """Its entry in `inputdataconfig.json`."""
        configuration = {
            "TrainingInputMode": self.mode,
            "S3DistributionType": self.source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": self.given.get("RecordWrapperType", "None"),
        }
        if "ContentType" in self.given:
            configuration["ContentType"] = self.given["ContentType"]
        return configuration


def read_channels(house: House, job: dict[str, Any]) -> list[Channel]:
    """Raises `JobError` for objects that are not there."""
    channels = [Channel(given["ChannelName"], _mode(job, given), given) for given in job.get("InputDataConfig", [])]
    for channel in channels:
        if "FileSystemDataSource" in channel.given["DataSource"]:
            channel.mount = file_system_mount(house, channel.given["DataSource"]["FileSystemDataSource"])
            continue
        kind, uri = channel.source["S3DataType"], channel.source["S3Uri"]
        if kind == "AugmentedManifestFile":
            channel.items = augmented_items(house, uri, channel.source["AttributeNames"])
        else:
            # A stream has no directories.
            streamed = channel.mode == "Pipe"
            found = read_sources(house, kind, uri)
            channel.items = [[each] for each in found if not (streamed and each.is_directory)]
    return channels


def check_channels(request: dict[str, Any]) -> None:
    """Raises `ValidationException`."""
    channels = request.get("InputDataConfig", [])
    _check_names(request, channels)
    for channel in channels:
        _check_source(channel["ChannelName"], channel["DataSource"])
        _check_mode(channel, _mode(request, channel))


def _mode(request: dict[str, Any], channel: dict[str, Any]) -> str:
    mode: str = channel.get("InputMode") or request["AlgorithmSpecification"]["TrainingInputMode"]
    return mode


def _check_names(request: dict[str, Any], channels: list[dict[str, Any]]) -> None:
    """Each is a directory of its own under /opt/ml/input/data, or pipes beside it."""
    names = [channel["ChannelName"] for channel in channels]
    if len(set(names)) < len(names):
        raise invalid("The names of channels must be unique within a training job.")
    for name in names:
        if set(name) == {"."}:
            raise invalid(f"The channel name {name!r} cannot be the name of a directory.")
    for pipe in (channel["ChannelName"] for channel in channels if _mode(request, channel) == "Pipe"):
        taken = next((name for name in names if re.fullmatch(rf"{re.escape(pipe)}_\d+", name)), None)
        if taken:
            raise invalid(f"The channel {taken} would be in the place of a pipe of the channel {pipe}.")


def _check_source(name: str, given: dict[str, Any]) -> None:
    source = given.get("S3DataSource")
    if "DatasetSource" in given:
        raise not_built(f"DatasetSource of the channel {name}")
    if (source is None) == ("FileSystemDataSource" not in given):
        raise invalid(f"The channel {name} needs either an S3DataSource or a FileSystemDataSource.")
    if source is None:
        return
    refuse_members(source, ("HubAccessConfig",))
    if source["S3DataType"] not in ("S3Prefix", "ManifestFile", "AugmentedManifestFile"):
        raise not_built(f"S3DataType {source['S3DataType']}")
    augmented = source["S3DataType"] == "AugmentedManifestFile"
    if augmented and not source.get("AttributeNames"):
        raise invalid(f"The channel {name} needs AttributeNames: its S3DataType is AugmentedManifestFile.")
    if source.get("AttributeNames") and not augmented:
        raise invalid(f"AttributeNames of the channel {name} can be given only with S3DataType AugmentedManifestFile.")


def _check_mode(channel: dict[str, Any], mode: str) -> None:
    if "FileSystemDataSource" in channel["DataSource"] and mode != "File":
        raise invalid(f"The channel {channel['ChannelName']} has a file system, and needs InputMode File, not {mode}.")
    if mode == "Pipe":
        return
    for member, value in (("CompressionType", "Gzip"), ("RecordWrapperType", "RecordIO")):
        if channel.get(member) == value:
            raise invalid(_only_with_pipe(channel, f"{member} {value}", mode))
    if channel["DataSource"].get("S3DataSource", {}).get("S3DataType") == "AugmentedManifestFile":
        raise invalid(_only_with_pipe(channel, "S3DataType AugmentedManifestFile", mode))


def _only_with_pipe(channel: dict[str, Any], what: str, mode: str) -> str:
    return f"{what} can be used only with InputMode Pipe, and the channel {channel['ChannelName']} has {mode}."
