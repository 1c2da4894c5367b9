"""A channel as the one text file that fastText reads.

    text/plain          files ──────────────▶ the file, or all of them put together
    application/jsonlines  {"source": "…", "label": 1 | [1, 3]} ─┐
    pipe of an augmented manifest: records source, label, …      ─┴▶ "__label__1 __label__3 …" a line

Sources: the formats of https://docs.aws.amazon.com/sagemaker/latest/dg/blazingtext.html.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from clary.algorithms.blazingtext.engine import LABEL
from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.files import json_lines
from clary.algorithms.kit.job import no_data
from clary.toolkits.recordio_frames import read_records

JSON_LINES = "application/jsonlines"


def text_file(channel: Channel, supervised: bool) -> str:
    """The path of a channel's sentences, one a line; raises `UserError` where there are none, or where it is none."""
    paths = channel.files(0)
    if channel.mode == "Pipe":
        if not supervised:
            raise UserError("Pipe mode is for augmented manifests, which only the mode supervised reads.")
        if not channel.wrapped:
            raise UserError(
                f"The channel {channel.name!r} comes through a pipe: RecordWrapperType must be RecordIO, by which "
                "sources and labels are told apart."
            )
        with open(paths[0], "rb") as file:
            examples = enumerate(_attributes(read_records(file)), 1)
            return _write(_marked(example, f"{channel.name}, line {number}") for number, example in examples)
    if not paths:
        raise no_data(channel.name)
    if supervised and (channel.content_type == JSON_LINES or _looks_like_json(paths[0])):
        return _write(_marked(example, where) for path in paths for where, example in json_lines(path))
    if supervised:
        _require_labels(paths[0], channel.name)
    return paths[0] if len(paths) == 1 else _together(paths)


def _looks_like_json(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(1) == b"{"


def _require_labels(path: str, channel: str) -> None:
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                if LABEL not in line:
                    raise UserError(
                        f"{os.path.basename(path)}, line {number}: no word begins with {LABEL}. In the mode supervised "
                        "each line holds a sentence and its labels."
                    )
                return
    raise no_data(channel)


def _together(paths: list[str]) -> str:
    with tempfile.NamedTemporaryFile("wb", suffix=".txt", delete=False) as whole:
        for path in paths:
            with open(path, "rb") as part:
                shutil.copyfileobj(part, whole)
            whole.write(b"\n")
    return whole.name


def _write(lines: Iterable[str]) -> str:
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", delete=False) as file:
        file.writelines(f"{line}\n" for line in lines)
    return file.name


def _attributes(records: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    """The attributes `source` and `label` of one line after the other."""
    for source in records:
        label = next(records, None)
        if label is None:
            raise UserError("The augmented manifest gives a source without a label: AttributeNames are source, label.")
        try:
            yield {"source": source.decode(), "label": _label(label.decode())}
        except ValueError as error:
            raise UserError(
                f"The augmented manifest has a source or label that is no text in UTF-8: {error}"
            ) from error


def _label(attribute: str) -> Any:
    """Numbers and lists travel as JSON, a text as it is."""
    try:
        label = json.loads(attribute)
    except ValueError:
        return attribute
    return label if type(label) in (int, list) else attribute


def _marked(example: Any, where: str) -> str:
    """As a line with its labels."""
    if not isinstance(example, dict) or not isinstance(example.get("source"), str) or "label" not in example:
        raise UserError(f"{where}: source (a text) and label are needed, and it holds {example!r:.100}")
    labels = example["label"] if isinstance(example["label"], list) else [example["label"]]
    if not labels or not all(isinstance(label, str | int) for label in labels):
        raise UserError(f"{where}: label is {example['label']!r:.100}, and must be a number, a word, or a list of them")
    words = (str(label).replace(" ", "_") for label in labels)
    marked = (word if word.startswith(LABEL) else LABEL + word for word in words)
    return " ".join([*marked, " ".join(example["source"].split())])
