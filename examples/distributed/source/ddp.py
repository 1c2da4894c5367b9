"""A small network trained by DistributedDataParallel: every process has its own rows, gradients are averaged."""

import argparse
import os
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler


def load(directory: Path) -> TensorDataset:
    rows = np.vstack([np.loadtxt(file, delimiter=",", dtype=np.float32) for file in sorted(directory.glob("*.csv"))])
    return TensorDataset(torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, -1]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    torch.manual_seed(7)
    data = load(Path(os.environ["SM_CHANNEL_TRAIN"]))
    sampler = DistributedSampler(data, seed=7)
    model = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.Adam(parallel.parameters(), lr=0.02)
    for epoch in range(arguments.epochs):
        sampler.set_epoch(epoch)
        squares = torch.zeros(2)
        for features, rings in DataLoader(data, batch_size=64, sampler=sampler):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(parallel(features).squeeze(1), rings)
            loss.backward()
            optimizer.step()
            squares += torch.tensor([loss.item() * len(rings), len(rings)])
        dist.all_reduce(squares)
        if dist.get_rank() == 0:
            print(f"epoch {epoch}: RMSE {(squares[0] / squares[1]).sqrt():.3f} rings", flush=True)
    print(f"rank {dist.get_rank()} of {dist.get_world_size()} had {len(sampler)} of {len(data)} rows", flush=True)
    if dist.get_rank() == 0:
        torch.save(model.state_dict(), Path(os.environ["SM_MODEL_DIR"], "model.pt"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
