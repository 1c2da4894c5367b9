"""What a decoder sees of a sentence, and where it looks."""

import math
from typing import NamedTuple

from torch import Tensor

State = list[Tensor]
"""From which a decoder goes on; the sentences of the batch come first in each."""


class Seen(NamedTuple):
    read: Tensor
    """(batch, words, width); zeros after the end of a sentence."""
    keys: Tensor
    """(batch, words, width): what a decoder compares with."""
    known: Tensor
    """(batch, words): which words there are."""

    def repeated(self, times: int) -> "Seen":
        """Each sentence that many times."""
        return Seen(*(each.repeat_interleave(times, dim=0) for each in self))


def attend(weights: Tensor, seen: Seen) -> tuple[Tensor, Tensor]:
    """Of weights (batch, target words, source words) what is looked at, and the shares of it, which add up to one."""
    shares = weights.masked_fill(~seen.known.unsqueeze(1), -math.inf).softmax(2)
    return shares @ seen.read, shares
