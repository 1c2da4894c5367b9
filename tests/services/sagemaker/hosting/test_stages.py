"""Updates by stages, on documents alone: what is started, who takes traffic, what is let go of, and when."""

import json
from collections.abc import Iterator
from typing import Any

from clary.services.sagemaker.hosting.deployment import allot_replicas, deployments_of, replicas_of
from clary.services.sagemaker.hosting.stages import advance, begin, due, shares, turn_back, wanted

COUNT = 4


def deployment(number: int, count: int = COUNT) -> dict[str, Any]:
    variant = {"VariantName": "A", "ModelName": "m", "DesiredInstanceCount": count, "DesiredWeight": 1.0}
    models = {"m": {"PrimaryContainer": {}}}
    return {"Number": number, "ConfigName": f"c{number}", "Variants": [variant], "Models": models}


def updating(config: dict[str, Any]) -> dict[str, Any]:
    old = deployment(1)
    document = {"Deployment": old, "Replicas": [], "Retiring": [], "Serial": 0}
    document = allot_replicas(document, "e", old, wanted(document, old))
    return {**document, "Previous": old, "Deployment": deployment(2), "Rollout": begin(config, 0.0)}


def staffed(document: dict[str, Any]) -> dict[str, Any]:
    for each in deployments_of(document):
        document = allot_replicas(document, "e", each, wanted(document, each))
    # What goes on is what a killed platform reads again.
    read: dict[str, Any] = json.loads(json.dumps(document))
    return read


def seen(document: dict[str, Any]) -> tuple[float, int, int]:
    """The share of the current deployment, its replicas, and those of the one before."""
    new = len(replicas_of(document, document["Deployment"]["Number"]))
    old = len(replicas_of(document, document["Previous"]["Number"])) if "Previous" in document else 0
    return shares(document).get("A", 1.0), new, old


def walk(document: dict[str, Any], now: float = 0.0) -> Iterator[tuple[float, dict[str, Any]]]:
    """The document whenever it is at rest, with all replicas healthy, until the update is done."""
    while True:
        document = staffed(document)
        moved = advance(document, {replica["Id"] for replica in document["Replicas"]}, now)
        if moved == document:
            yield now, document
            now = due(document)
        document = moved
        if "Rollout" not in document:
            yield now, staffed(document)
            return


def blue_green(kind: str, **options: Any) -> dict[str, Any]:
    routing = {"Type": kind, "WaitIntervalInSeconds": 10, **options}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 5}}


def rolling(**options: Any) -> dict[str, Any]:
    batch = {"Type": "INSTANCE_COUNT", "Value": 1}
    return {"RollingUpdatePolicy": {"MaximumBatchSize": batch, "WaitIntervalInSeconds": 10, **options}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def test_all_at_once_keeps_the_old_fleet_for_its_wait() -> None:
    path = [(now, seen(document)) for now, document in walk(updating(blue_green("ALL_AT_ONCE")))]
    assert path == [(0, (1.0, 4, 4)), (10, (1.0, 4, 4)), (15, (1.0, 4, 0))]


def test_a_canary_is_a_share_first_and_then_all() -> None:
    path = [(now, seen(document)) for now, document in walk(updating(blue_green("CANARY", CanarySize=percent(10))))]
    assert path == [(0, (0.1, 4, 4)), (10, (1.0, 4, 4)), (20, (1.0, 4, 4)), (25, (1.0, 4, 0))]


def test_linear_steps_are_equal() -> None:
    config = blue_green("LINEAR", LinearStepSize=percent(33))
    path = [(now, seen(document)[0]) for now, document in walk(updating(config))]
    assert path == [(0, 0.33), (10, 0.66), (20, 0.99), (30, 1.0), (40, 1.0), (45, 1.0)]


def test_a_rolling_update_has_one_batch_more_than_it_needs() -> None:
    path = [(now, seen(document)) for now, document in walk(updating(rolling()))]
    assert path == [(0, (0.25, 1, 4)), (10, (0.5, 2, 3)), (20, (0.75, 3, 2)), (30, (1.0, 4, 1)), (40, (1.0, 4, 0))]


def test_what_is_blue_and_green_is_taken_back_at_once() -> None:
    now, document = next(walk(updating(blue_green("CANARY", CanarySize=percent(50)))))
    back = staffed(turn_back(document, "alarm", now))
    assert seen(back) == (1.0, 4, 0)
    (_, done) = list(walk(back, now))[-1]
    assert (done["Deployment"]["ConfigName"], done["FailureReason"]) == ("c1", "alarm")
    assert len(done["Replicas"]) == COUNT


def test_what_rolled_rolls_back_by_its_own_batches() -> None:
    path = walk(updating(rolling(RollbackMaximumBatchSize=percent(25))))
    next(path), next(path)
    now, document = next(path)
    assert seen(document) == (0.75, 3, 2)
    back = staffed(turn_back(document, "alarm", now))
    assert seen(back) == (0.5, 3, 2)  # one more of the old is brought up while what is left of it takes its share
    (_, done) = list(walk(back, now))[-1]
    assert (done["Deployment"]["ConfigName"], len(done["Replicas"])) == ("c1", COUNT)
