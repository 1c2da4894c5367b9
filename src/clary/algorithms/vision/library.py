"""torchvision, made ready before its first import.

Its package index holds wheels whose compiled operators are linked to CUDA. Beside a torch for CPUs alone these cannot
be loaded, and its import then fails for want of some of them, which no network here needs. So those are declared in
their place, with nothing behind them; where the operators load, nothing is changed.
"""

import glob
import os
from importlib.util import find_spec

import torch

ARGUMENTS = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
LOOKED_FOR = ("nms", "qnms")
"""At its import, whether the operators could be loaded or not."""


def _declare_what_is_missing() -> None:
    found = find_spec("torchvision")
    directories = found.submodule_search_locations if found else None
    for path in glob.glob(os.path.join((directories or [""])[0], "_C*.so")):
        try:
            torch.ops.load_library(path)
        except OSError:
            for operator in LOOKED_FOR:
                torch.library.define(f"torchvision::{operator}", ARGUMENTS)


_declare_what_is_missing()

from torchvision import models, ops  # noqa: E402

__all__ = ["models", "ops"]
