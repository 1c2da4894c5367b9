"""What instances find in their environment."""

import time

import pytest

from clary.control.house import House
from clary.records.record import Scope
from clary.services.sagemaker.instances.environment import instance_environment
from clary.wire.errors import ServiceError

DAY = 24 * 3600.0
HOUR = 3600
ROLE = "arn:aws:iam::123456789012:role/ml"


def test_a_roles_credentials_outlast_the_longest_wait_and_the_run(house: House) -> None:
    given = instance_environment(house, Scope("123456789012", "us-east-1"), ROLE, session="SageMaker", seconds=HOUR)

    def who(now: float) -> str | None:
        return house.keys.lookup(given["AWS_ACCESS_KEY_ID"], given["AWS_SESSION_TOKEN"], "s3", now).arn

    assert who(time.time() + 28 * DAY + HOUR) == "arn:aws:sts::123456789012:assumed-role/ml/SageMaker"
    with pytest.raises(ServiceError, match="expired"):
        who(time.time() + 32 * DAY)
