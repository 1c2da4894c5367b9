"""The documents of a channel, pass after pass: few ones are read once and kept, since to decode them takes longer than
to learn from them.
"""

import time
from collections.abc import Iterator

import numpy as np

from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.job import TRAIN, Job

ROOM = 32 * 1024 * 1024
"""Bytes of decoded documents that are kept; of a channel that has more, none are."""


class Documents:
    def __init__(self, job: Job, channel: str) -> None:
        self._job = job
        self._channel = channel
        self._kept: list[Batch] = []

    def batches(self) -> Iterator[Batch]:
        """All documents once more, until the job is told to stop."""
        return self._once_more() if self._kept else self._read()

    def _once_more(self) -> Iterator[Batch]:
        begun = time.monotonic()
        for batch in self._kept:
            yield batch
            if self._job.stopped:
                return
        if self._channel == TRAIN:
            self._job.tell_speed(sum(map(len, self._kept)), begun)

    def _read(self) -> Iterator[Batch]:
        held, size = [], 0
        for batch in self._job.batches(self._channel, counts=True):
            size += _bytes(batch)
            if size <= ROOM:
                held.append(batch)
            else:
                held.clear()
            yield batch
        if size <= ROOM and not self._job.stopped:
            self._kept = held


def _bytes(batch: Batch) -> int:
    features = batch.features
    arrays = [features] if isinstance(features, np.ndarray) else [features.data, features.indices, features.indptr]
    return sum(array.nbytes for array in arrays)
