"""Object2Vec beside the same network in plain torch, and beside latent semantic analysis with a logistic regression.

Pairs of texts are of one topic or of two, and texts of a topic seldom share a word. The plain network has its pairs as
tensors that are padded to the longest text; it tells no loss and saves nothing.
"""

import json

import numpy as np
import torch
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.kit.device import device
from clary.algorithms.kit.ragged import Ragged
from clary.algorithms.object2vec.model import Model

TOPICS, WORDS, PAIRS, HELD, LONGEST = 6, 20, 3_000, 2_000, 10
VOCABULARY, EMBEDDING, ENCODING, EPOCHS, BATCH, RATE = TOPICS * WORDS, 16, 32, 5, 32, 0.01
random = np.random.default_rng(0)
Side = list[np.ndarray]


def write(topic: int) -> np.ndarray:
    own = random.integers(0, WORDS, random.integers(4, LONGEST - 1)) + topic * WORDS
    return random.permutation(np.concatenate([own, random.integers(0, VOCABULARY, 2)]))


def draw(count: int) -> tuple[Side, Side, np.ndarray]:
    topics = random.integers(0, TOPICS, (count, 2))
    alike = random.random(count) < 0.5
    topics[alike, 1] = topics[alike, 0]
    left, right = ([write(topic) for topic in column] for column in topics.T.tolist())
    return left, right, topics[:, 0] == topics[:, 1]


(left, right, labels), (asked, other, answers) = draw(PAIRS), draw(HELD)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.ModuleList(nn.Embedding(VOCABULARY + 1, EMBEDDING) for _ in range(2))
        self.readers = nn.ModuleList(
            nn.LSTM(EMBEDDING, ENCODING // 2, batch_first=True, bidirectional=True) for _ in range(2)
        )
        self.judge = nn.Sequential(
            nn.Linear(4 * ENCODING, ENCODING),
            nn.ReLU(),
            nn.Linear(ENCODING, ENCODING),
            nn.ReLU(),
            nn.Linear(ENCODING, 2),
        )

    def encode(self, side: int, tokens: Tensor) -> Tensor:
        known = tokens != VOCABULARY
        packed = pack_padded_sequence(
            self.words[side](tokens), known.sum(1).cpu(), batch_first=True, enforce_sorted=False
        )
        read, _ = pad_packed_sequence(self.readers[side](packed)[0], batch_first=True, total_length=tokens.shape[1])
        return read.masked_fill(~known.unsqueeze(2), -1e9).amax(1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        one, other = self.encode(0, left), self.encode(1, right)
        return self.judge(torch.cat([one * other, one, other, (one - other).abs()], dim=1))


def tensors(*sides: Side) -> list[Tensor]:
    return [torch.from_numpy(Ragged.of(side).padded(slice(None), VOCABULARY)).to(device()) for side in sides]


def learn() -> Plain:
    torch.manual_seed(1)
    network = Plain().to(device())
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    one, other = tensors(left, right)
    wanted = torch.from_numpy(labels).long().to(device())
    for _ in range(EPOCHS):
        for chosen in torch.randperm(PAIRS, device=device()).split(BATCH):
            loss = nn.functional.cross_entropy(network(one[chosen], other[chosen]), wanted[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network


def judge(directory: str) -> float:
    scores = Model.load(directory).scores(Ragged.of(asked), Ragged.of(other))
    return float((scores.argmax(1) == answers).mean())


def judge_plain(network: Plain) -> float:
    with torch.inference_mode():
        return float((network(*tensors(asked, other)).argmax(1).cpu().numpy() == answers).mean())


def counts(side: Side) -> csr_matrix:
    places = np.concatenate([[0], np.cumsum([len(text) for text in side])])
    words = np.concatenate(side)
    return csr_matrix((np.ones(len(words)), words, places), (len(side), VOCABULARY))


def compared(topics: Pipeline, left: Side, right: Side) -> np.ndarray:
    one, other = topics.transform(counts(left)), topics.transform(counts(right))
    return np.concatenate([one * other, np.abs(one - other)], axis=1)


def learn_analysis() -> tuple[Pipeline, LogisticRegression]:
    topics = make_pipeline(TfidfTransformer(), TruncatedSVD(EMBEDDING, random_state=0)).fit(counts([*left, *right]))
    return topics, LogisticRegression(max_iter=1000).fit(compared(topics, left, right), labels)


def judge_analysis(found: tuple[Pipeline, LogisticRegression]) -> float:
    topics, regression = found
    return float(regression.score(compared(topics, asked, other), answers))


def lines() -> bytes:
    rows = zip(left, right, labels.tolist(), strict=True)
    written = ({"label": int(label), "in0": one.tolist(), "in1": two.tolist()} for one, two, label in rows)
    return "".join(f"{json.dumps(row)}\n" for row in written).encode()


job = TrainingJob(
    "object2vec",
    {"train": Given({"pairs.jsonl": lines()}, "application/jsonlines")},
    enc0_max_seq_len=LONGEST,
    enc0_vocab_size=VOCABULARY,
    enc0_network="bilstm",
    enc0_token_embedding_dim=EMBEDDING,
    enc_dim=ENCODING,
    mlp_dim=ENCODING,
    mlp_activation="relu",
    epochs=EPOCHS,
    mini_batch_size=BATCH,
    learning_rate=RATE,
)
data = f"{PAIRS:,} pairs, {EPOCHS} epochs"
contest(data, "plain torch", job, learn, "accuracy", judge, judge_plain)
contest(data, "scikit-learn LSA", job, learn_analysis, "accuracy", judge, judge_analysis, rounds=1)
