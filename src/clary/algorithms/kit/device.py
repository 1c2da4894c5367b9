"""Where networks are trained and asked: on the GPU that the instance was given, else on its processors."""

import functools
import logging


@functools.cache
def device() -> str:
    """As PyTorch writes it; of several GPUs the first."""
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    logging.info("Using the GPU %s", torch.cuda.get_device_name())
    return "cuda"
