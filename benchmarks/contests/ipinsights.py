"""IP Insights beside embeddings of the same sizes in plain torch, on log-ins of users who share networks of companies.

Both are judged by log-ins that were held out: how often one scores above the same user at another company's address.
Many users were not seen in all networks of their company before. The reference has its log-ins as tensors, with the
same hashes of users, where Clary reads CSV; it tells no loss and saves nothing.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.ipinsights.events import Events, encode, split
from clary.algorithms.ipinsights.model import Model, tensors
from clary.algorithms.ipinsights.training import area
from clary.algorithms.kit.device import device

USERS, COMPANIES, NETWORKS, LOGINS, HELD = 5_000, 250, 8, 50_000, 10_000
VECTORS, WIDTH, EPOCHS, BATCH, RATE, DECAY = 2 * USERS, 32, 6, 1_000, 0.01, 1e-5
PREFIXES, ROWS = torch.arange(4, 33, 4), 1 << 16
Logins = tuple[np.ndarray, np.ndarray]

random = np.random.default_rng(0)
company = random.integers(0, COMPANIES, USERS)
networks = random.integers(1 << 24, 224 << 24, (COMPANIES, NETWORKS)) & ~255


def seen(count: int) -> Logins:
    users = random.integers(0, USERS, count)
    return users, networks[company[users], random.integers(0, NETWORKS, count)] + random.integers(1, 255, count)


known, usual = seen(LOGINS), seen(HELD)
others = random.permutation(HELD)
foreign = company[usual[0]] != company[usual[0][others]]
strange = usual[0][foreign], usual[1][others][foreign]


def lines(logins: Logins) -> Iterator[str]:
    for user, at in zip(*logins, strict=True):
        yield f"user_{user},{at >> 24}.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"


def hashed(logins: Logins) -> Events:
    return encode(split(("log-ins", line) for line in lines(logins)), VECTORS)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.users = nn.Embedding(VECTORS, WIDTH, sparse=True)
        self.prefixes = nn.EmbeddingBag(ROWS, WIDTH, mode="sum", sparse=True)
        self.bits, self.layer = nn.Linear(32, WIDTH), nn.Linear(WIDTH, WIDTH)
        for table in (self.users, self.prefixes):
            nn.init.normal_(table.weight, std=WIDTH**-0.5)

    def forward(self, users: Tensor, addresses: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        at = addresses.unsqueeze(1)
        bits = (at >> torch.arange(32, device=at.device) & 1).float()
        places = PREFIXES.to(at.device)
        values = self.prefixes(((at >> 32 - places) * 64 + places) * 2654435761 % ROWS) + self.bits(bits)
        one, other = self.users(users), values + self.layer(torch.relu(values))
        return (one * other).sum(1), one, other


def learn() -> Plain:
    torch.manual_seed(1)
    network = Plain().to(device())
    dense = [*network.bits.parameters(), *network.layer.parameters()]
    tables = [*network.users.parameters(), *network.prefixes.parameters()]
    optimizers = [torch.optim.SparseAdam(tables, lr=RATE), torch.optim.Adam(dense, lr=RATE)]
    users, addresses = tensors(as_events[0])
    for _ in range(EPOCHS):
        for chosen in torch.randperm(LOGINS, device=users.device).split(BATCH):
            happened, count = addresses[chosen], len(chosen)
            made_up = torch.randint(1 << 32, (count,), device=users.device)
            shuffled = happened[torch.randperm(count, device=users.device)]
            products, one, other = network(users[chosen].repeat(3), torch.cat([happened, made_up, shuffled]))
            labels = torch.zeros(3 * count, device=users.device)
            labels[:count] = 1
            loss = nn.functional.binary_cross_entropy_with_logits(products, labels)
            loss = loss + DECAY / 2 * (one.square().sum(1) + other.square().sum(1)).mean()
            for optimizer in optimizers:
                optimizer.zero_grad()
            loss.backward()
            for optimizer in optimizers:
                optimizer.step()
    return network


def judge(directory: str) -> float:
    model = Model.load(directory)
    return area(*(model.score(events).products for events in as_events[1:]))


def judge_theirs(network: Plain) -> float:
    with torch.inference_mode():
        return area(*(network(*tensors(events))[0].cpu().numpy() for events in as_events[1:]))


as_events = [hashed(logins) for logins in (known, usual, strange)]
contest(
    f"{LOGINS:,} log-ins of {USERS:,} users, {EPOCHS} epochs",
    "plain torch",
    TrainingJob(
        "ipinsights",
        {"train": Given({"logins.csv": "\n".join(lines(known)).encode()}, "text/csv")},
        num_entity_vectors=VECTORS,
        vector_dim=WIDTH,
        epochs=EPOCHS,
        mini_batch_size=BATCH,
        learning_rate=RATE,
        weight_decay=DECAY,
    ),
    learn,
    "area under the curve",
    judge,
    judge_theirs,
)
