"""Timestamps in the formats of the AWS protocols; inside the house they are epoch seconds as float."""

from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from typing import Literal

TimestampFormat = Literal["unixTimestamp", "iso8601", "rfc822"]


def parse_timestamp(text: str) -> float:
    """Epoch seconds of a timestamp in any of the three formats; `ValueError` where it is in none."""
    if text[:1].isalpha():
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, IndexError) as error:
            raise ValueError(f"not a timestamp: {text}") from error
    elif "-" in text[1:] or "T" in text:
        moment = datetime.fromisoformat(text)
    else:
        return read_epoch(float(text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return read_epoch(moment.timestamp())


def read_epoch(value: float) -> float:
    """A number from the wire as epoch seconds; `ValueError` outside the calendar's years 1 to 9999."""
    try:
        epoch = float(value)
        datetime.fromtimestamp(epoch, UTC)
        return epoch
    except (OverflowError, OSError) as error:
        raise ValueError(f"not a timestamp: {value}") from error


def epoch_of(value: float | datetime) -> float:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return value


def format_timestamp(value: float | datetime, form: TimestampFormat) -> str:
    """Text of a timestamp, to the millisecond where the format has fractions."""
    epoch = epoch_of(value)
    if form == "rfc822":
        return formatdate(int(epoch), usegmt=True)
    if form == "iso8601":
        text = datetime.fromtimestamp(round(epoch, 3), UTC).isoformat(timespec="milliseconds")
        return text.removesuffix("+00:00") + "Z"
    return repr(round(epoch, 3))
