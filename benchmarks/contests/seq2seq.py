"""Sequence-to-Sequence beside the same network in plain torch: an LSTM that reads both ways, and one that attends.

What is to be learned puts adjectives after their nouns, and verbs last. The plain network has its sentences as tensors
that are padded to the longest; it looks at no validation data, saves nothing, and translates word by word, where Clary
searches a beam.
"""

import json

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.kit.device import device
from clary.algorithms.kit.ragged import Ragged
from clary.algorithms.seq2seq.bleu import bleu
from clary.algorithms.seq2seq.model import Model
from clary.algorithms.seq2seq.sentences import BEGIN, END, FILES, PAD
from clary.toolkits.recordio_writing import write_tensors

PAIRS, HELD, NOUNS, ADJECTIVES, VERBS = 4_000, 200, 40, 20, 15
EMBEDDING, HIDDEN, BATCH, BATCHES, RATE = 32, 64, 32, 400, 0.005
FIRST = 4
"""Word of a vocabulary, after the special ones."""
WORDS = FIRST + 2 + NOUNS + ADJECTIVES + VERBS
random = np.random.default_rng(0)
Sentences = list[np.ndarray]


def thing() -> tuple[list[int], list[int]]:
    article, noun = (int(random.integers(*each)) for each in ((FIRST, FIRST + 2), (FIRST + 2, FIRST + 2 + NOUNS)))
    adjectives = random.choice(ADJECTIVES, random.integers(0, 4), replace=False) + FIRST + 2 + NOUNS
    return [article, *adjectives, noun], [article, noun, *adjectives]


def sentences(count: int) -> tuple[Sentences, Sentences]:
    sources, targets = [], []
    for _ in range(count):
        (one, one_said), (other, other_said), verb = thing(), thing(), WORDS - 1 - random.integers(VERBS)
        sources.append(np.array([*one, verb, *other]))
        targets.append(np.array([*one_said, *other_said, verb]))
    return sources, targets


(sources, targets), (asked, wanted) = sentences(PAIRS), sentences(HELD)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.source, self.target = (nn.Embedding(WORDS, EMBEDDING, padding_idx=PAD) for _ in range(2))
        self.encoder = nn.LSTM(EMBEDDING, HIDDEN // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.begin, self.query = nn.Linear(HIDDEN, HIDDEN), nn.Linear(HIDDEN, HIDDEN)
        self.key, self.weigh = nn.Linear(HIDDEN, HIDDEN, bias=False), nn.Linear(HIDDEN, 1, bias=False)
        self.join, self.words = nn.Linear(2 * HIDDEN, HIDDEN), nn.Linear(HIDDEN, WORDS)

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        known = source != PAD
        lengths = known.sum(1)
        packed = pack_padded_sequence(self.source(source), lengths.cpu(), batch_first=True, enforce_sorted=False)
        read, _ = pad_packed_sequence(self.encoder(packed)[0], batch_first=True, total_length=source.shape[1])
        last = read[torch.arange(len(read), device=read.device), lengths - 1]
        state = torch.tanh(self.begin(last)).unsqueeze(0)
        hidden, _ = self.decoder(self.target(target), (state, torch.zeros_like(state)))
        weights = self.weigh(torch.tanh(self.query(hidden).unsqueeze(2) + self.key(read).unsqueeze(1))).squeeze(3)
        context = weights.masked_fill(~known.unsqueeze(1), -torch.inf).softmax(2) @ read
        return self.words(torch.tanh(self.join(torch.cat([hidden, context], dim=2))))

    def translate(self, source: Tensor, longest: int) -> list[list[int]]:
        said = torch.full((len(source), 1), BEGIN, device=source.device)
        with torch.inference_mode():
            for _ in range(longest):
                said = torch.cat([said, self(source, said)[:, -1:].argmax(2)], dim=1)
        return [row[: row.index(END)] if END in row else row for row in said[:, 1:].tolist()]


def tensor(sentences: Sentences) -> Tensor:
    return torch.from_numpy(Ragged.of(sentences).padded(slice(None), PAD)).to(device())


def learn() -> Plain:
    torch.manual_seed(1)
    network = Plain().to(device())
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    source, target = tensor(sources), tensor([np.array([BEGIN, *each, END]) for each in targets])
    done = 0
    while done < BATCHES:
        for chosen in torch.randperm(PAIRS, device=device()).split(BATCH)[: BATCHES - done]:
            told, next_words = network(source[chosen], target[chosen, :-1]), target[chosen, 1:]
            loss = nn.functional.cross_entropy(told.flatten(0, 1), next_words.flatten(), ignore_index=PAD)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(network.parameters(), 1.0)
            optimizer.step()
            done += 1
    return network


def judged(said: list[list[int]]) -> float:
    return bleu(said, [each.tolist() for each in wanted])


def judge(directory: str) -> float:
    return judged([found.words for found in Model.load(directory).translate(asked)])


def records(sources: Sentences, targets: Sentences) -> bytes:
    return write_tensors({"source": one, "target": other} for one, other in zip(sources, targets, strict=True))


vocabulary = json.dumps({f"w{number}": number for number in range(WORDS)}).encode()
contest(
    f"{BATCHES} batches of {BATCH} sentences",
    "plain torch",
    TrainingJob(
        "seq2seq",
        {
            "train": Given({"train.rec": records(sources, targets)}),
            "validation": Given({"val.rec": records(asked, wanted)}),
            "vocab": Given(dict.fromkeys(FILES, vocabulary)),
        },
        rnn_num_hidden=HIDDEN,
        num_embed_source=EMBEDDING,
        num_embed_target=EMBEDDING,
        learning_rate=RATE,
        batch_size=BATCH,
        max_num_batches=BATCHES,
        checkpoint_frequency_num_batches=BATCHES,
    ),
    learn,
    "BLEU",
    judge,
    lambda network: judged(network.translate(tensor(asked), max(map(len, wanted)) + 1)),
)
