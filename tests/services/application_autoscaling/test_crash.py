"""What a platform that was killed finds of an activity, and does about it."""

from typing import Any

from clary.control.house import House
from clary.records.record import Record, Scope
from clary.services.application_autoscaling.activities import begun
from clary.services.application_autoscaling.lifecycle import TargetReconciler
from clary.services.application_autoscaling.targets import REGISTERED, TARGETS
from clary.services.sagemaker.hosting.kinds import ENDPOINT, IN_SERVICE, UPDATING

SCOPE = Scope("123456789012", "us-east-1")


def endpoint(house: House) -> Record:
    variant = {"VariantName": "A", "DesiredInstanceCount": 1, "DesiredWeight": 1.0}
    document = {"Deployment": {"Number": 1, "Variants": [variant]}, "Replicas": [], "Retiring": [], "Serial": 1}
    return house.records.create(ENDPOINT, SCOPE, "e", "arn:e", document, IN_SERVICE)


def target(house: House) -> Record:
    """With an activity that was written down, and nothing done yet."""
    document: dict[str, Any] = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/A",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        "MinCapacity": 1,
        "MaxCapacity": 3,
        "SuspendedState": {"ScheduledScalingSuspended": False},
        "Policies": {},
        "Actions": {},
        "Activities": [],
    }
    document = begun(document, "desired instance count", 1, 3, "a test", "")
    return house.records.create(TARGETS, SCOPE, "t", "arn:t", document, REGISTERED)


def last(house: House, record: Record) -> dict[str, Any]:
    activity: dict[str, Any] = house.records.load(record.id).document["Activities"][-1]
    return activity


def test_an_activity_is_done_once_and_seen_to_its_end(house: House) -> None:
    scaled, record, reconciler = endpoint(house), target(house), TargetReconciler(house)
    assert reconciler.step(record.id) is not None
    changed = house.records.load(scaled.id)
    assert changed.state == UPDATING
    assert changed.document["Deployment"]["Variants"][0]["DesiredInstanceCount"] == 3
    reconciler.step(record.id)
    assert last(house, record)["StatusCode"] == "InProgress"
    house.records.transition(changed, IN_SERVICE)
    assert reconciler.step(record.id) is None
    assert last(house, record)["StatusCode"] == "Successful"


def test_capacity_that_was_given_back_is_a_failure(house: House) -> None:
    scaled, record, reconciler = endpoint(house), target(house), TargetReconciler(house)
    reconciler.step(record.id)
    changed = house.records.load(scaled.id)
    house.records.transition(changed, IN_SERVICE, document=scaled.document)
    reconciler.step(record.id)
    assert last(house, record)["StatusCode"] == "Failed"
    assert "desired instance count to 3: it is 1" in last(house, record)["StatusMessage"]
