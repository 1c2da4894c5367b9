"""Single-shot detectors (Liu et al. 2016), of torchvision's parts: boxes of many shapes on six grids, each of which
convolutions over the features below it move and tell a class.

VGG-16 is cut as in the paper, and its layers are normalised by their batch, so that it learns from scratch, too (Zhu et
al. 2019); of ResNet-50 the last three stages are grids, and three smaller ones are put on top.
"""

import re
from collections import OrderedDict

import torch
from torch import Tensor, nn

from clary.algorithms.vision.library import models, ops
from clary.algorithms.vision.pictures import DEVIATION, MEAN
from clary.algorithms.vision.weights import pretrained

ASPECTS = [[2], [2, 3], [2, 3], [2, 3], [2], [2]]
SCALES = [0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05]
"""Of boxes beside the picture, grid by grid, as in the paper."""
FOURTH_POOLING = 33
"""Its number among VGG's layers."""
WEIGHTS = {"vgg-16": "vgg16_bn", "resnet-50": "resnet50"}
"""torchvision's names of the bases."""
QUIET = 0.001
"""Deviation of the first weights of what tells classes and moves."""
LEAST = 0.01
"""Score below which nothing is found."""


class ResNetGrids(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        network = models.resnet50(weights=None, zero_init_residual=True)
        self.stem = nn.Sequential(
            OrderedDict((name, getattr(network, name)) for name in ("conv1", "bn1", "relu", "maxpool", "layer1"))
        )
        self.layer2, self.layer3, self.layer4 = network.layer2, network.layer3, network.layer4
        self.extra = nn.ModuleList([_smaller(2048, 512, 2), _smaller(512, 256, 2), _smaller(256, 256, 2)])

    def forward(self, pictures: Tensor) -> "OrderedDict[str, Tensor]":
        features = self.stem(pictures)
        found = []
        for stage in (self.layer2, self.layer3, self.layer4, *self.extra):
            features = stage(features)
            found.append(features)
        return OrderedDict((str(number), each) for number, each in enumerate(found))


def _smaller(before: int, width: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(before, width // 2, 1, bias=False),
        nn.BatchNorm2d(width // 2),
        nn.ReLU(),
        nn.Conv2d(width // 2, width, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
    )


def _vgg_grids() -> nn.Module:
    grids: nn.Module = models.detection.ssd.SSDFeatureExtractorVGG(models.vgg16_bn(weights=None).features, False)
    for layer in grids.extra.modules():
        if isinstance(layer, nn.Conv2d):
            # What torchvision begins with makes features half as large at each layer, until the last grids see nothing.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    return grids


def build(base: str, classes: int, side: int) -> nn.Module:
    """For `classes` and, as class 0 of the network's own, the ground."""
    backbone = _vgg_grids() if base == "vgg-16" else ResNetGrids()
    boxes = models.detection.anchor_utils.DefaultBoxGenerator(ASPECTS, scales=SCALES)
    mean, deviation = MEAN.tolist(), DEVIATION.tolist()
    network = models.detection.ssd.SSD(backbone, boxes, (side, side), classes + 1, image_mean=mean, image_std=deviation)
    for layer in network.head.modules():
        if isinstance(layer, nn.Conv2d):
            # Hard negatives are the loudest of thousands of boxes: at first none is to be loud by chance.
            nn.init.normal_(layer.weight, std=QUIET)
    return network


def take_base(network: nn.Module, base: str) -> None:
    """What ImageNet taught."""
    weights = pretrained(WEIGHTS[base])
    names = {name: _place(name) if base == "vgg-16" else f"stem.{name}" for name in weights}
    if base != "vgg-16":
        names |= {name: name for name in weights if name.startswith(("layer2", "layer3", "layer4"))}
    network.backbone.load_state_dict({names[name]: tensor for name, tensor in weights.items()}, strict=False)


def _place(name: str) -> str:
    """Of a layer of VGG in the detector, which cuts it before its fourth pooling."""
    part, _, rest = name.partition(".")
    number, _, kind = rest.partition(".")
    beyond = int(number) - FOURTH_POOLING
    return f"extra.0.{beyond}.{kind}" if part == "features" and beyond > 0 else name


def freeze(network: nn.Module, pattern: str) -> None:
    """Layers of the base whose names the pattern finds learn nothing more."""
    for name, parameter in network.backbone.named_parameters():
        if pattern and re.search(pattern, name):
            parameter.requires_grad_(False)


def outputs(network: nn.Module, pictures: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
    """What the network says of each box, and the boxes in pixels, for pictures of the network's own size."""
    grids = list(network.backbone(pictures).values())
    shapes = [(pictures.shape[-2], pictures.shape[-1])] * len(pictures)
    images = models.detection.image_list.ImageList(pictures, shapes)
    return network.head(grids), network.anchor_generator(images, grids)


def losses(network: nn.Module, pictures: Tensor, targets: list[dict[str, Tensor]]) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the classes with three negatives for each positive, and smooth L1 of the places."""
    said, boxes = outputs(network, pictures)
    matched = []
    for own, target in zip(boxes, targets, strict=True):
        if not len(target["boxes"]):
            matched.append(torch.full((len(own),), -1, dtype=torch.int64, device=own.device))
            continue
        matched.append(network.proposal_matcher(ops.box_iou(target["boxes"], own)))
    found = network.compute_loss(targets, said, boxes, matched)
    return found["classification"], found["bbox_regression"]
