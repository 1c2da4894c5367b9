"""What a matrix knows of an algorithm: a small complete job, what its model is asked, and how its users go wrong."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.toolkits.container import RESOURCES


def no_data(channel: str) -> str:
    return f"Unable to read data channel {channel!r}: there is no data in it."


@dataclass(frozen=True, slots=True)
class Channel:
    content_type: str
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Job:
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Channel]

    def given(self, **changes: str | None) -> "Job":
        """With other hyperparameters; None takes one away."""
        settled = {**self.hyperparameters, **changes}
        return replace(self, hyperparameters={name: value for name, value in settled.items() if value is not None})

    def holding(self, channel: str, content: bytes | None, name: str = "") -> "Job":
        """With another file in a channel, by default in place of its first; None takes it away."""
        found = self.channels[channel]
        files: dict[str, bytes | None] = {**found.files, name or next(iter(found.files)): content}
        kept = {name: content for name, content in files.items() if content is not None}
        return replace(self, channels={**self.channels, channel: replace(found, files=kept)})

    def emptied(self, channel: str, *, kept: bool) -> "Job":
        """With files of no bytes in a channel, or with none where they are not `kept`."""
        files = dict.fromkeys(self.channels[channel].files, b"") if kept else {}
        return self.having(channel, self.channels[channel].content_type, files)

    def having(self, name: str, content_type: str, files: Mapping[str, bytes]) -> "Job":
        """With that channel, whether it had one of the name or not."""
        return replace(self, channels={**self.channels, name: Channel(content_type, files)})

    def typed(self, channel: str, content_type: str) -> "Job":
        found = replace(self.channels[channel], content_type=content_type)
        return replace(self, channels={**self.channels, channel: found})

    def without(self, channel: str) -> "Job":
        return replace(self, channels={name: each for name, each in self.channels.items() if name != channel})

    def write(self, root: Path) -> None:
        """As /opt/ml of a container."""
        configuration = {
            "hyperparameters": dict(self.hyperparameters),
            "resourceconfig": RESOURCES,
            "inputdataconfig": {
                name: {"ContentType": each.content_type, "TrainingInputMode": "File"}
                for name, each in self.channels.items()
            },
        }
        (root / "input/config").mkdir(parents=True)
        for name, said in configuration.items():
            (root / f"input/config/{name}.json").write_text(json.dumps(said))
        for name, channel in self.channels.items():
            (root / "input/data" / name).mkdir(parents=True)
            for file, content in channel.files.items():
                (root / "input/data" / name / file).write_bytes(content)


@dataclass(frozen=True, slots=True)
class Form:
    """Records of one form, each a request of its own, and in which form they are to be answered."""

    content_type: str
    accept: str
    records: Sequence[bytes]
    split: str = "Line"
    """How a batch transform finds them in an object; with `None` each is one."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that does not fit the model."""

    content_type: str
    body: bytes
    words: str
    """In the answer."""
    status: int = 400
    accept: str = "*/*"


Mistakes = Mapping[str, tuple[Job, str]]
"""By what is wrong: a job, and what its failure must say."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    name: str
    """Of the repository."""
    job: Callable[[int], Job]
    """From a seed, so that there are models that answer differently."""
    forms: Sequence[Form]
    keys: Sequence[str]
    """Of the answer to a record of the first form, as JSON."""
    mistakes: Callable[[Job], Mistakes]
    refusals: Sequence[Refusal]
    required: str = ""
    """A hyperparameter that must be given, where there is one."""
    outside: tuple[str, str] = ("epochs", "0")
    """One with a value that is out of its range."""
    unfit: str = "image/webp"
    """A content type that its channel `train` does not take."""
    slow: bool = False
    """Whether its servers take long to start."""
    heavy: bool = False
    """Whether its job takes long, too."""

    def all_mistakes(self) -> Mistakes:
        """Its own, and those that all algorithms have."""
        job = self.job(0)
        name, value = self.outside
        common = {
            "empty channel": (job.emptied("train", kept=True), no_data("train")),
            "channel without files": (job.emptied("train", kept=False), no_data("train")),
            "no channel": (job.without("train"), "'train' is a required property"),
            "wrong content type": (
                job.typed("train", self.unfit),
                f"No iterator has been registered for ContentType ({self.unfit!r}",
            ),
            "unknown hyperparameter": (
                job.given(colour="red"),
                "Additional hyperparameters are not allowed ('colour' was unexpected)",
            ),
            "out of range": (job.given(**{name: value}), f"'{value}' is not valid for the '{name}'"),
            "no number": (job.given(**{name: "many"}), f"'many' is not valid for the '{name}'"),
            "huge": (job.given(**{name: "1e300"}), f"'1e300' is not valid for the '{name}'"),
            "infinite": (job.given(**{name: "inf"}), f"'inf' is not valid for the '{name}'"),
            "not a number": (job.given(**{name: "nan"}), f"'nan' is not valid for the '{name}'"),
            "empty": (job.given(**{name: ""}), f"'' is not valid for the '{name}'"),
        }
        if self.required:
            missing = f"No value(s) were specified for '{self.required}'"
            common["missing hyperparameter"] = job.given(**{self.required: None}), missing
        return {**common, **self.mistakes(job)}
