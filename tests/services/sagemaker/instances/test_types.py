"""Every instance type that the API admits has a size."""

import pytest

from clary.services.sagemaker.instances.types import GIB, instance_type
from clary.wire.models import service_model

SHAPES = (
    "TrainingInstanceType",
    "ProductionVariantInstanceType",
    "ProcessingInstanceType",
    "TransformInstanceType",
)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_published_type_is_known(shape: str) -> None:
    for name in service_model("sagemaker").shape_for(shape).enum:
        found = instance_type(name)
        assert found.vcpus >= 1
        assert found.memory >= GIB


@pytest.mark.parametrize(
    ("name", "vcpus", "gib", "gpus"),
    [
        ("ml.m5.large", 2, 8, 0),
        ("ml.m5.xlarge", 4, 16, 0),
        ("ml.c5.18xlarge", 72, 144, 0),
        ("ml.c4.8xlarge", 32, 60, 0),
        ("ml.r5.24xlarge", 96, 768, 0),
        ("ml.t3.medium", 2, 4, 0),
        ("ml.g5.12xlarge", 48, 192, 4),
        ("ml.p4d.24xlarge", 96, 1152, 8),
    ],
)
def test_sizes_are_those_that_aws_lists(name: str, vcpus: int, gib: int, gpus: int) -> None:
    found = instance_type(name)
    assert (found.vcpus, found.memory, found.gpus) == (vcpus, gib * GIB, gpus)


@pytest.mark.parametrize("name", ["ml.m5.huge", "ml.x99.large", "m5", "ml.m5.-1xlarge", ""])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(KeyError):
        instance_type(name)
