"""Residual networks (He, Zhang, Ren and Sun 2015) of any of the documented depths: torchvision's, and those of section
4.2 of the paper for small pictures."""

from typing import Any

from torch import Tensor, nn

from clary.algorithms.image_classification.hyperparameters import SMALL
from clary.algorithms.vision.library import models
from clary.algorithms.vision.weights import read

BasicBlock, Bottleneck = models.resnet.BasicBlock, models.resnet.Bottleneck
LARGE: dict[int, tuple[Any, list[int]]] = {
    18: (BasicBlock, [2, 2, 2, 2]),
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
    152: (Bottleneck, [3, 8, 36, 3]),
    200: (Bottleneck, [3, 24, 36, 3]),
}
HEAD = "fc."
"""Of the names of the last layer's weights, which is as wide as there are classes."""


class SmallResNet(nn.Module):  # type: ignore[misc]
    """6n + 2 layers in three stages of 16, 32 and 64 channels."""

    def __init__(self, layers: int, channels: int, classes: int) -> None:
        super().__init__()
        steps: list[nn.Module] = [nn.Conv2d(channels, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
        before = 16
        for width, stride in ((16, 1), (32, 2), (64, 2)):
            for number in range((layers - 2) // 6):
                steps.append(_block(before, width, stride if number == 0 else 1))
                before = width
        self.body = nn.Sequential(*steps, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(64, classes)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.fc(self.body(pictures))


def _block(before: int, width: int, stride: int) -> nn.Module:
    shortcut = None
    if stride != 1 or before != width:
        shortcut = nn.Sequential(nn.Conv2d(before, width, 1, stride, bias=False), nn.BatchNorm2d(width))
    return BasicBlock(before, width, stride, shortcut)


def build(layers: int, channels: int, classes: int) -> nn.Module:
    if layers in SMALL:
        return SmallResNet(layers, channels, classes)
    block, depths = LARGE[layers]
    network = models.resnet.ResNet(block, depths, num_classes=classes)
    if channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
    return network


def load(directory: str) -> tuple[nn.Module, dict[str, Any]]:
    """The facts are layers, shape, classes, and whether there are several labels."""
    weights, facts = read(directory)
    network = build(facts["layers"], facts["shape"][0], facts["classes"])
    network.load_state_dict(weights)
    return network, facts


def take_over(network: nn.Module, weights: dict[str, Tensor]) -> None:
    """What fits of the weights of another network: its last layer does not, where there are other classes."""
    own = network.state_dict()
    fitting = {
        name: tensor
        for name, tensor in weights.items()
        if name in own and own[name].shape == tensor.shape and not name.startswith(HEAD)
    }
    network.load_state_dict({**own, **fitting})
