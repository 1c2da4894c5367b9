"""NTM beside scikit-learn's latent Dirichlet allocation and Clary's own, on documents of topics that are known."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from sklearn.decomposition import LatentDirichletAllocation

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.kit.ndarrays import read_arrays
from clary.algorithms.ntm.network import Network
from clary.toolkits.protobuf import delimited, encode_varint
from clary.toolkits.recordio_frames import HEADER, MAGIC

DOCUMENTS, WORDS, TOPICS, LENGTH, TOLD = 4_000, 1_000, 20, 80, 10


def made(random: np.random.Generator, topics: np.ndarray, count: int) -> np.ndarray:
    """Counts of words."""
    mixtures = random.dirichlet([0.1] * TOPICS, count)
    return random.multinomial(LENGTH, mixtures @ topics).astype(np.float32)


random = np.random.default_rng(0)
# As in language, some words are frequent in all topics, and each topic has few of its own.
usual = 1 / np.arange(1, WORDS + 1)
topics = random.gamma(0.05, size=(TOPICS, WORDS)) * usual**0.5
topics = 0.8 * topics / topics.sum(axis=1, keepdims=True) + 0.2 * usual / usual.sum()
counts, others = made(random, topics, DOCUMENTS), made(random, topics, DOCUMENTS)


def sparse(rows: np.ndarray) -> bytes:
    """As the SDK's `write_spmatrix_to_sparse_tensor` writes them."""
    written = bytearray()
    for row in rows:
        keys = np.flatnonzero(row)
        tensor = delimited(1, row[keys].tobytes()) + delimited(2, b"".join(map(encode_varint, keys.tolist())))
        tensor += delimited(3, encode_varint(WORDS))
        record = delimited(1, delimited(1, b"values") + delimited(2, delimited(2, tensor)))
        written += HEADER.pack(MAGIC, len(record)) + record + b"\0" * (-len(record) % 4)
    return bytes(written)


def strongest(weights: np.ndarray) -> np.ndarray:
    """The words that each topic asks for most."""
    return np.argsort(-weights, axis=1)[:, :TOLD]


def coherence(told: np.ndarray) -> float:
    """The mean normalised mutual information of two words of a topic (Bouma 2009), in documents not learned from."""
    present = csr_matrix(others > 0, dtype=np.float64)
    together = np.asarray((present.T @ present).todense()) / len(others)
    alone = np.diag(together)
    scores = []
    for words in told:
        first, second = (words[each] for each in np.triu_indices(TOLD, 1))
        both = together[first, second]
        with np.errstate(divide="ignore", invalid="ignore"):
            information = np.log(both / (alone[first] * alone[second])) / -np.log(both)
        scores.append(np.where(both > 0, information, -1).mean())
    return float(np.mean(scores))


def recovered(told: np.ndarray) -> float:
    """The share of the known topics' words that are told of the topic that each was found as."""
    shared = np.array([[len(set(known) & set(found)) for found in told] for known in strongest(topics).tolist()])
    return float(shared[linear_sum_assignment(-shared)].sum() / topics.shape[0] / TOLD)


def learn() -> np.ndarray:
    return strongest(Network.load(job()).topic_words().detach().numpy())


channel = {"train": Given({"documents": sparse(counts)})}
job = TrainingJob(
    "ntm", channel, feature_dim=WORDS, num_topics=TOPICS, optimizer="adam", learning_rate=0.01, mini_batch_size=100
)
lda = TrainingJob("lda", channel, feature_dim=WORDS, num_topics=TOPICS, mini_batch_size=DOCUMENTS)
matrix = csr_matrix(counts)


def learn_theirs() -> np.ndarray:
    return strongest(LatentDirichletAllocation(TOPICS, random_state=0).fit(matrix).components_)


def learn_lda() -> np.ndarray:
    return strongest(list(read_arrays(f"{lda()}/model_algo-1").values())[1])


for quality, judge in (("coherence (NPMI)", coherence), ("known words found", recovered)):
    contest(f"{DOCUMENTS:,} documents", "scikit-learn LDA", learn, learn_theirs, quality, judge, judge, rounds=1)
contest(
    f"{DOCUMENTS:,} documents", "Clary's lda", learn, learn_lda, "known words found", recovered, recovered, rounds=1
)
