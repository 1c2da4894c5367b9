"""Where commands print: results on standard output, everything said to a person on standard error."""

from datetime import datetime

from rich.console import Console
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)

STATUS_STYLES = {
    "Completed": "green",
    "InService": "green",
    "InProgress": "cyan",
    "Creating": "cyan",
    "Updating": "cyan",
    "Stopping": "yellow",
    "Stopped": "yellow",
    "Deleting": "yellow",
    "Failed": "red",
    "OutOfService": "red",
}


def status_text(status: str) -> Text:
    return Text(status, style=STATUS_STYLES.get(status, ""))


def clock(seconds: float) -> str:
    """An epoch time as the user's own clock shows it."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """`4.2 s`, `3 m 05 s`, `2 h 07 m`, `5 d 03 h`: the two units that matter."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d} m"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02d} h"
