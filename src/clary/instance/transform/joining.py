"""What goes to the model of a batch of records, and what is kept of its answer: `DataProcessing`.

    record ── InputFilter ─▶ request                    CSV: a row is an array, the answer's row goes after the input's
    record + answer ── OutputFilter ─▶ what is kept     JSON: the answer is the member SageMakerOutput of the input's
                                                        object; what is none becomes SageMakerInput of a new one

"Workflow for Associating Inferences with Input Records",
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html.
"""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import Iterator
from typing import Any

from clary.instance.spec import Transform
from clary.instance.transform.jsonpath import NotThere, Path

INPUT, OUTPUT = "SageMakerInput", "SageMakerOutput"
INFERENCE_ID, INFERENCE_TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
FORMATS = (CSV, JSON, JSON_LINES)
SPECIAL = ',"\r\n'
"""Characters for which a cell of CSV is quoted."""


class Unjoinable(Exception):
    """A record or an answer is not what the filters say of it. The argument is why."""


def media_type(content_type: str) -> str:
    """`text/csv` of `Text/CSV; charset=utf-8`."""
    return content_type.partition(";")[0].strip().lower()


class Plain:
    """Without any: all is kept as it is."""

    def request(self, batch: bytes) -> bytes:
        return batch

    def keep(self, _batch: bytes, answer: bytes) -> bytes:
        return answer


class Joining:
    """Where there is one."""

    def __init__(self, transform: Transform) -> None:
        self._input, self._output = Path(transform.input_filter), Path(transform.output_filter)
        self._joins = transform.joins
        self._time = transform.inference_time
        self._lines = transform.split == "Line"
        self._given = media_type(transform.content_type)
        self._answered = media_type(transform.accept) or self._given

    def request(self, batch: bytes) -> bytes:
        """Raises `Unjoinable`."""
        if self._input.is_whole:
            return batch
        form, select = _format(self._given), self._input.select
        try:
            records = self._split(batch, self._given)
            return "\n".join(form.write(select(form.read(record))) for record in records).encode()
        except (NotThere, ValueError) as error:
            raise Unjoinable(f"InputFilter {self._input.text}: {error}") from None

    def keep(self, batch: bytes, answer: bytes) -> bytes:
        """Raises `Unjoinable`."""
        end = "\n" if answer.endswith(b"\n") else ""
        try:
            kept = self._kept(self._split(batch, self._given), self._split(answer, self._answered))
            return ("\n".join(map(self._marked, kept) if self._time else kept) + end).encode()
        except (NotThere, ValueError) as error:
            raise Unjoinable(f"OutputFilter {self._output.text}: {error}") from None

    def _kept(self, records: list[str], answers: list[str]) -> Iterator[str]:
        form, select = _format(self._answered), self._output.select
        if not self._joins:
            return (form.write(select(form.read(answer))) for answer in answers)
        if len(records) != len(answers):
            raise Unjoinable(f"{len(records)} records were sent, and {len(answers)} came back: they cannot be joined")
        pairs = zip(records, answers, strict=True)
        if self._output.is_whole and form.appends:
            return (f"{record},{answer}" for record, answer in pairs)
        return (form.write(select(form.join(form.read(record), form.read(answer)))) for record, answer in pairs)

    def _marked(self, kept: str) -> str:
        """The record with an id, by which it is found again."""
        return _format(self._answered).mark(kept, str(uuid.uuid4()), self._time)

    def _split(self, data: bytes, kind: str) -> list[str]:
        text = data.decode()
        if kind == JSON and not self._lines:
            return [text]
        return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def _format(kind: str) -> Rows | Documents:
    return Rows() if kind == CSV else Documents()


class Rows:
    """CSV: each line is a row."""

    appends = True
    """Whether a record and its answer are joined as they are."""

    def read(self, record: str) -> Any:
        return next(csv.reader([record])) if '"' in record else record.split(",")

    def join(self, record: Any, answer: Any) -> Any:
        return record + answer

    def mark(self, kept: str, inference_id: str, at: str) -> str:
        return f"{kept},{inference_id},{at}"

    def write(self, found: Any) -> str:
        cells = found if isinstance(found, list) else [found]
        row = ",".join(cells)
        if row.count(",") == len(cells) - 1 and not any(special in row for special in SPECIAL[1:]):
            return row
        text = io.StringIO()
        csv.writer(text, lineterminator="").writerow(cells)
        return text.getvalue()


class Documents:
    """JSON."""

    appends = False

    def read(self, record: str) -> Any:
        return json.loads(record)

    def join(self, record: Any, answer: Any) -> Any:
        return {**record, OUTPUT: answer} if isinstance(record, dict) else {INPUT: record, OUTPUT: answer}

    def mark(self, kept: str, inference_id: str, at: str) -> str:
        found = self.read(kept)
        members = found if isinstance(found, dict) else {OUTPUT: found}
        return self.write({**members, INFERENCE_ID: inference_id, INFERENCE_TIME: at})

    def write(self, found: Any) -> str:
        return json.dumps(found, separators=(",", ":"), ensure_ascii=False)
