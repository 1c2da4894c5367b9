"""The likeliest sentences, by beam search: of all that begin a sentence the best few go on, word by word.

Scores are mean log-probabilities of a word, so that short sentences are not preferred. All sentences of a batch are
searched at once, each as if it were alone: what was found of one stays as it is while others go on.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from clary.algorithms.seq2seq.network import Network
from clary.algorithms.seq2seq.sentences import BEGIN, END, PAD


class Found(NamedTuple):
    words: list[int]
    attention: list[list[float]]
    """Of each word, where in the source it comes from."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step chose: (sentences, beam)."""

    parents: Tensor
    """Which of the beginnings before it."""
    words: Tensor
    looked: Tensor
    """Where each of the beginnings before it looked: (sentences, beam, source words)."""


class Ends:
    """Of each sentence of a batch the best that came to its end so far."""

    def __init__(self, count: int, device: torch.device) -> None:
        self.scores = torch.full((count,), -torch.inf, device=device)
        self.lengths, self.lasts = torch.zeros(2, count, dtype=torch.long, device=device)
        """How many words it has, and which beginning of that many it is."""
        self.open = torch.ones(count, dtype=torch.bool, device=device)
        """Whether a better one may come."""

    def take(self, length: int, scores: Tensor, step: Step) -> None:
        """`scores` (sentences, beam) are those of `length` words, of which the last is an end."""
        score, at = (scores / length).max(1)
        better = self.open & (score > self.scores)
        self._put(better, score, length - 1, step.parents.gather(1, at.unsqueeze(1))[:, 0])

    def look_ahead(self, length: int, scores: Tensor, *, last: bool) -> None:
        """`scores` are those of what may go on; where that is the `last` step, it is cut off there."""
        score, at = (scores / length).max(1)
        if last:
            self._put(self.open & self.scores.isneginf(), score, length, at)
        self.open &= (score >= self.scores) & ~score.isneginf()

    def _put(self, which: Tensor, scores: Tensor, length: int, lasts: Tensor) -> None:
        self.scores = torch.where(which, scores, self.scores)
        self.lengths = self.lengths.masked_fill(which, length)
        self.lasts = torch.where(which, lasts, self.lasts)


def translate(network: Network, source: Tensor, beam: int, longest: int) -> list[Found]:
    """The best sentence of at most `longest` words for each of the sources (batch, words)."""
    network.eval()
    with torch.inference_mode():
        ends, steps = _search(network, source, beam, longest)
        return _trace(ends, steps, (source != PAD).sum(1).tolist())


def _search(network: Network, source: Tensor, beam: int, longest: int) -> tuple[Ends, list[Step]]:
    count, device = len(source), source.device
    seen, state = network.encode(source)
    seen, state = seen.repeated(beam), [each.repeat_interleave(beam, dim=0) for each in state]
    words = torch.full((count * beam, 1), BEGIN, device=device)
    scores = torch.full((count, beam), -torch.inf, device=device)
    scores[:, 0] = 0  # All begin alike: one is enough.
    firsts = torch.arange(count, device=device).unsqueeze(1) * beam
    ends, steps = Ends(count, device), []
    for length in range(1, longest + 1):
        logits, looked, state = network.decode(words, seen, state)
        chances = logits[:, 0].log_softmax(1).view(count, beam, -1)
        chances[:, :, [PAD, BEGIN]] = -torch.inf
        scores, flat = (scores.unsqueeze(2) + chances).flatten(1).topk(beam)
        step = Step(flat // chances.shape[2], flat % chances.shape[2], looked.view(count, beam, -1))
        steps.append(step)
        ended = step.words == END
        ends.take(length, scores.masked_fill(~ended, -torch.inf), step)
        scores = scores.masked_fill(ended, -torch.inf)
        ends.look_ahead(length, scores, last=length == longest)
        if not ends.open.any():
            break
        rows = (firsts + step.parents).flatten()
        state, words = [each[rows] for each in state], step.words.view(-1, 1)
    return ends, steps


def _trace(ends: Ends, steps: list[Step], sources: list[int]) -> list[Found]:
    """The sentences, word by word from their ends; `sources` are the lengths of what they translate."""
    parents, words, looked = (
        torch.stack([getattr(step, name) for step in steps]).cpu() for name in ("parents", "words", "looked")
    )
    found = []
    for sentence, (length, beginning) in enumerate(zip(ends.lengths.tolist(), ends.lasts.tolist(), strict=True)):
        told, places = [], []
        for at in reversed(range(length)):
            told.append(int(words[at, sentence, beginning]))
            beginning = int(parents[at, sentence, beginning])
            places.append(looked[at, sentence, beginning, : sources[sentence]].tolist())
        found.append(Found(told[::-1], places[::-1]))
    return found
