"""Batches on their way to a network: made ahead on threads, so that it waits for none, and the same ones each time.

    parts ─▶ ┬ thread ┬─▶ in their order ─▶ device
             └ thread ┘

Each batch has a generator of random numbers of its own, so what is drawn does not depend on which thread is first.
"""

import functools
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import torch
from torch import Tensor

from clary.algorithms.vision.pictures import DEVIATION, MEAN

LEAST, MOST = 2, 16
"""Threads: one reads while another decodes, and more of them than that Python's lock lets do no more."""
Part = TypeVar("Part")
Made = TypeVar("Made")


def ahead(make: Callable[[Part], Made], parts: Iterable[Part]) -> Iterator[Made]:
    """What `make` makes of each part, in their order."""
    threads = min(max(len(os.sched_getaffinity(0)), LEAST), MOST)
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Made]] = deque()
    try:
        for part in parts:
            waiting.append(pool.submit(make, part))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def moved(batch: Any, device: torch.device) -> Any:
    """All tensors in lists, tuples and dictionaries on the device."""
    if isinstance(batch, Tensor):
        return batch.to(device, non_blocking=True)
    if isinstance(batch, dict):
        return {name: moved(each, device) for name, each in batch.items()}
    return type(batch)(moved(each, device) for each in batch)


def layout(where: torch.device) -> torch.memory_format:
    """How the numbers of pictures lie that networks are fastest with: where the channels come last, convolutions of
    3 x 3 take processors half as long again."""
    return torch.channels_last if where.type == "cuda" else torch.contiguous_format


def centred(pictures: Tensor) -> Tensor:
    """Of bytes `(pictures, height, width, channels)` what a network sees: `(pictures, channels, height, width)`."""
    mean, deviation = _colours(pictures.shape[-1], pictures.device)
    seen = ((pictures / 255 - mean) / deviation).permute(0, 3, 1, 2)
    return seen.contiguous(memory_format=layout(pictures.device))


@functools.cache
def _colours(channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    mean, deviation = torch.from_numpy(MEAN), torch.from_numpy(DEVIATION)
    if channels == 1:
        mean, deviation = mean.mean(), deviation.mean()
    return mean.to(device), deviation.to(device)
