"""Networks that several instances train, each on its own rows."""

from typing import TYPE_CHECKING

import numpy as np

from clary.algorithms.kit.team import Team

if TYPE_CHECKING:
    import torch


def average(team: Team, network: "torch.nn.Module", share: float = 1) -> None:
    """Make the networks of all instances the mean of theirs, by their shares: weights, and what BatchNorm counts.

    For what is too large to exchange at each step.
    """
    if team.size == 1:
        return
    import torch

    tensors = list(network.state_dict().values())
    flat = torch.cat([tensor.flatten().double() for tensor in tensors]).cpu().numpy()
    total, shares = team.sum(flat * share, np.array(float(share)))
    parts = torch.from_numpy(total / shares).split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.reshape(tensor.shape))


def average_gradients(team: Team, network: "torch.nn.Module") -> None:
    """Give all instances the mean of their gradients, so that networks that began alike stay alike."""
    if team.size > 1:
        import torch

        gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
        totals = team.sum(*(gradient.cpu().numpy() for gradient in gradients))
        for gradient, total in zip(gradients, totals, strict=True):
            gradient.copy_(torch.from_numpy(total / team.size))
