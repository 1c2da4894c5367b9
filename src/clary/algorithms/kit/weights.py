"""The weights of networks: kept, and those of several instances that train one, each on its own rows."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from clary.algorithms.kit.soundness import require_sound
from clary.algorithms.kit.team import Team

if TYPE_CHECKING:
    import torch


def save_weights(weights: "Mapping[str, torch.Tensor]", path: str) -> None:
    """Raises `UserError` where some are no numbers."""
    import torch

    require_sound({name: tensor.numpy(force=True) for name, tensor in weights.items()})
    torch.save(dict(weights), path)


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
