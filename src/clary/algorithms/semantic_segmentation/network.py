"""Dilated residual networks with one of three heads: convolutions, DeepLab's, or the pyramid of Zhao et al. (2017).

The backbone makes of each 8 x 8 pixels a vector of features, the head of each vector scores of the classes; these are
drawn out to the picture's size. A second head on the last stage but one helps the training along.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from clary.algorithms.vision.library import models
from clary.algorithms.vision.weights import pretrained

FEATURES = 2048
BINS = (1, 2, 3, 6)
"""Cells along a side of each level of the pyramid."""


class PyramidHead(nn.Module):  # type: ignore[misc]
    """Features beside their means over the cells of ever finer grids."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        part = FEATURES // len(BINS)
        self.levels = nn.ModuleList(
            nn.Sequential(nn.AdaptiveAvgPool2d(bins), *_layer(FEATURES, part, 1)) for bins in BINS
        )
        self.last = nn.Sequential(*_layer(2 * FEATURES, 512, 3), nn.Dropout(0.1), nn.Conv2d(512, classes, 1))

    def forward(self, features: Tensor) -> Tensor:
        size = features.shape[-2:]
        means = [interpolate(level(features), size, mode="bilinear", align_corners=False) for level in self.levels]
        return self.last(torch.cat([features, *means], dim=1))


def _layer(before: int, width: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, width, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


def build(algorithm: str, backbone: str, classes: int) -> nn.Module:
    """Answers with `out`, and in training `aux`: scores `(pictures, classes, height, width)`."""
    head = "deeplabv3" if algorithm == "deeplab" else "fcn"
    make = getattr(models.segmentation, f"{head}_{backbone.replace('-', '')}")
    network: nn.Module = make(weights=None, weights_backbone=None, num_classes=classes, aux_loss=True)
    for block in network.backbone.modules():
        if isinstance(block, models.resnet.Bottleneck):
            # At first it hands on what it is given: all layers learn from the first step on (Goyal et al. 2017).
            nn.init.zeros_(block.bn3.weight)
    if algorithm == "psp":
        network.classifier = PyramidHead(classes)
    return network


def take_backbone(network: nn.Module, backbone: str) -> None:
    """What ImageNet taught; the heads are never pretrained."""
    network.backbone.load_state_dict(pretrained(backbone.replace("-", "")), strict=False)
