"""Linear regression on rows that are spread over the instances of a job: each sees its own, all have one model.

In every step each instance sends what its rows say of the gradient to the first, which sends back the sum.
"""

import argparse
import json
import os
import time
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

import numpy as np

PORT = 7777
PATIENCE = 60.0
"""Seconds that an instance has to come up."""


class Peers:
    def __init__(self) -> None:
        hosts, own = json.loads(os.environ["SM_HOSTS"]), os.environ["SM_CURRENT_HOST"]
        self.first = own == hosts[0]
        if self.first:
            with Listener((own, PORT), backlog=len(hosts)) as listener:
                self._connections = [listener.accept() for _ in hosts[1:]]
        else:
            self._connections = [connect(hosts[0])]

    def total(self, values: np.ndarray) -> np.ndarray:
        """The sum over all instances; every one gets the same."""
        if not self.first:
            self._connections[0].send(values)
            return self._connections[0].recv()
        for connection in self._connections:
            values = values + connection.recv()
        for connection in self._connections:
            connection.send(values)
        return values


def connect(host: str) -> Connection:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Client((host, PORT))
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def train(rows: np.ndarray, peers: Peers, steps: int, rate: float) -> dict[str, list[float]]:
    features, rings = rows[:, :-1], rows[:, -1]
    count = peers.total(np.array([float(len(rows))]))[0]
    mean = peers.total(features.sum(axis=0)) / count
    deviation = np.sqrt(peers.total(((features - mean) ** 2).sum(axis=0)) / count)
    inputs = np.column_stack([np.ones(len(rows)), (features - mean) / deviation])
    weights = np.zeros(inputs.shape[1])
    for _ in range(steps):
        weights -= rate * peers.total(inputs.T @ (inputs @ weights - rings)) / count
    squares = peers.total(np.array([((inputs @ weights - rings) ** 2).sum()]))[0]
    print(f"{len(rows)} of {count:.0f} rows, RMSE {np.sqrt(squares / count):.3f} rings", flush=True)
    return {"weights": weights.tolist(), "mean": mean.tolist(), "deviation": deviation.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--rate", type=float, default=0.2)
    arguments = parser.parse_args()
    files = sorted(Path(os.environ["SM_CHANNEL_TRAIN"]).glob("*.csv"))
    rows = np.vstack([np.loadtxt(file, delimiter=",") for file in files])
    peers = Peers()
    model = train(rows, peers, arguments.steps, arguments.rate)
    if peers.first:
        Path(os.environ["SM_MODEL_DIR"], "model.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main()
