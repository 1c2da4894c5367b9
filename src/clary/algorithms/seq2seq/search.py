"""The likeliest sentences, by beam search: of all that begin a sentence the best few go on, word by word.

Scores are mean log-probabilities of a word, so that short sentences are not preferred.
"""

from typing import Any, NamedTuple

import torch

from clary.algorithms.seq2seq.network import Network
from clary.algorithms.seq2seq.sentences import BEGIN, END, PAD


class Found(NamedTuple):
    words: list[int]
    attention: list[list[float]]
    """Of each word, where in the source it comes from."""


def translate(network: Network, source: torch.Tensor, beam: int, longest: int) -> list[Found]:
    """The best sentence for each of the sources (batch, words)."""
    network.eval()
    with torch.inference_mode():
        return [_one(network, row[row != PAD].unsqueeze(0), beam, longest) for row in source]


def _one(network: Network, source: torch.Tensor, beam: int, longest: int) -> Found:
    read, known, states = network.encode(source)
    begun = torch.full((1, 1), BEGIN, device=source.device)
    scores = torch.zeros(1, device=source.device)
    attention = torch.zeros(1, 0, source.shape[1], device=source.device)
    done: list[tuple[float, torch.Tensor, torch.Tensor]] = []
    for length in range(1, longest + 1):
        width = len(begun)
        logits, attended, states = network.decode(
            begun[:, -1:], read.expand(width, -1, -1), known.expand(width, -1), states
        )
        attention = torch.cat([attention, attended], dim=1)
        chances = logits[:, 0].log_softmax(1)
        chances[:, [PAD, BEGIN]] = -torch.inf
        best, flat = (scores.unsqueeze(1) + chances).flatten().topk(beam)
        parents, words = flat // chances.shape[1], flat % chances.shape[1]
        ends = words == END
        done += [
            (float(best[at]) / length, begun[parents[at], 1:], attention[parents[at], :-1])
            for at in ends.nonzero().flatten().tolist()
        ]
        going = ~ends
        if not going.any() or (done and max(done, key=lambda each: each[0])[0] > float(best[going][0]) / length):
            break
        parents = parents[going]
        begun = torch.cat([begun[parents], words[going].unsqueeze(1)], dim=1)
        scores, attention, states = best[going], attention[parents], _of(states, parents)
    if not done:
        done = [(float(scores[0]), begun[0, 1:], attention[0])]
    _, sentence, looked = max(done, key=lambda each: each[0])
    return Found(sentence.tolist(), looked.tolist())


def _of(states: list[Any], parents: torch.Tensor) -> list[Any]:
    """The decoder's states of those that go on."""
    return [
        tuple(part[:, parents] for part in state) if isinstance(state, tuple) else state[:, parents] for state in states
    ]
