"""One invocation on its way through the steps of `api.py`; each fills in what the later ones need."""

from dataclasses import dataclass
from typing import Any

from clary.control.call import Call
from clary.routing.connection import Answer
from clary.routing.router import Pool, Served


@dataclass(slots=True)
class Invocation:
    call: Call
    request: dict[str, Any]
    streaming: bool
    found: Served | None = None
    chosen: Pool | None = None
    waited: float | None = None
    """Seconds for the instance of a serverless variant; None where there was one."""
    sent_at: float | None = None
    """By `time.perf_counter`; None while no model has seen it."""
    model_seconds: float = 0.0
    """Until the model's answer was whole, or, where it is a stream, until its head was there."""
    received: Answer | None = None

    @property
    def served(self) -> Served:
        assert self.found is not None
        return self.found

    @property
    def pool(self) -> Pool:
        assert self.chosen is not None
        return self.chosen

    @property
    def answer(self) -> Answer:
        assert self.received is not None
        return self.received
