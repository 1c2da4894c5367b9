"""Shares of a GPU that a variant asks for by `AcceleratorType`, the names of which are those of Elastic Inference.

The sizes of a generation had computing power as 1 to 2 to 4 ("Amazon Elastic Inference", AWS's table of accelerators):
the largest is a whole GPU here.
"""

from typing import Any

from clary.control.house import House
from clary.services.sagemaker.errors import invalid

SHARES = {"medium": 0.25, "large": 0.5, "xlarge": 1.0}


def share_of(variant: dict[str, Any]) -> float:
    """Of one GPU; 0 where the variant asks for none."""
    return SHARES[variant["AcceleratorType"].rpartition(".")[2]] if "AcceleratorType" in variant else 0.0


def check_accelerator(house: House, variant: dict[str, Any]) -> None:
    """Refuse a share of what there is not."""
    if not share_of(variant):
        return
    if not sum(place.total.gpus for place in house.engine.places()):
        raise invalid(
            f"Variant {variant['VariantName']} asks for {variant['AcceleratorType']}, which is a share of a GPU here, "
            "and there is no GPU to be shared. Leave AcceleratorType out, or start Clary where there is one."
        )
