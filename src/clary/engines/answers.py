"""What an engine answers with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogLine:
    at: float
    """Epoch seconds, when the program printed it."""
    text: str
