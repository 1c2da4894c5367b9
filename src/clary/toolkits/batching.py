"""How many invocations a model is handed at once, where it can answer several by one prediction.

The variables are those of the model server in AWS's PyTorch images, and so are their defaults: nothing is gathered
unless asked for.
"""

import os
import time
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TypeVar

Item = TypeVar("Item")

DEFAULT_DELAY = 100
"""Milliseconds."""


@dataclass(frozen=True)
class Batch:
    size: int = 1
    delay: float = 0.0
    """Seconds that the first of a batch waits for the others."""

    @classmethod
    def of_environment(cls) -> "Batch":
        size = int(os.environ.get("SAGEMAKER_TS_BATCH_SIZE") or 1)
        return cls(size, int(os.environ.get("SAGEMAKER_TS_MAX_BATCH_DELAY") or DEFAULT_DELAY) / 1000)

    def take(self, queue: "SimpleQueue[Item | None]") -> list[Item]:
        """The next items, one at least; none once None comes, which ends the queue."""
        items: list[Item] = []
        deadline = 0.0
        while len(items) < self.size:
            try:
                item = queue.get(timeout=max(0.0, deadline - time.monotonic()) if items else None)
            except Empty:
                break
            if item is None:
                if items:
                    queue.put(None)
                break
            items.append(item)
            deadline = deadline or time.monotonic() + self.delay
        return items
