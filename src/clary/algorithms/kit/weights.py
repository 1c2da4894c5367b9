"""Networks that several instances train, each on its own rows."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.team import Team

if TYPE_CHECKING:
    import torch


def average(team: Team, network: "torch.nn.Module") -> None:
    """Give the networks of all instances the mean of their weights: for what is too large to exchange at each step."""
    if team.size > 1:
        import torch

        with torch.no_grad():
            for weights in network.parameters():
                [total] = team.sum(weights.cpu().numpy())
                weights.copy_(torch.from_numpy(total / team.size))


def average_gradients(team: Team, network: "torch.nn.Module") -> None:
    """Give all instances the mean of their gradients, so that networks that began alike stay alike."""
    if team.size > 1:
        import torch

        gradients = [weights.grad for weights in network.parameters() if weights.grad is not None]
        totals = team.sum(*(gradient.cpu().numpy() for gradient in gradients))
        for gradient, total in zip(gradients, totals, strict=True):
            gradient.copy_(torch.from_numpy(total / team.size))
