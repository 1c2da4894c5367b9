"""How an update takes one deployment in and another out: functions of the document, what is healthy and the clock.

    Provisioning ─ the stage's replicas are healthy ─▶ Baking ─ wait ─▶ Provisioning … ─ after the last stage ─▶
    Terminating ─ linger ─▶ done

    Rollout  {"Config", "Began", "Phase", "Since", "Stage", "Base"}; "Failure" where it takes a failed update back

Each stage turns traffic on for a share of what comes in. Where deployments are blue and green, all of the incoming is
provisioned before the first stage and the outgoing stays whole until the end; rolling ones provision what a stage turns
on and then let go of as much. Taking back is the same way in the other direction, from the share that is still there.
"""

import math
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

from clary.services.sagemaker.hosting.deployment import replicas_of, replicas_wanted, retire_others

PROVISIONING, BAKING, TERMINATING = "Provisioning", "Baking", "Terminating"
ALL: dict[str, Any] = {"Type": "CAPACITY_PERCENT", "Value": 100}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a `DeploymentConfig` comes down to."""

    rolling: bool
    steps: tuple[dict[str, Any], ...]
    """A `CapacitySize` for each of the first stages; the last holds for those that follow too."""
    wait: float
    linger: float
    timeout: float
    base: float

    def share(self, stage: int, count: int) -> float:
        """What is turned on of a variant of so many instances after so many stages."""
        sizes = [self.steps[min(number, len(self.steps) - 1)] for number in range(stage)]
        return min(1.0, round(self.base + sum(_fraction(size, count) for size in sizes), 9))


def begin(config: dict[str, Any], now: float) -> dict[str, Any]:
    return {"Config": config, "Began": now, "Phase": PROVISIONING, "Since": now, "Stage": 0, "Base": 0.0}


def plan_of(rollout: dict[str, Any]) -> Plan:
    config, base = rollout["Config"], rollout["Base"]
    if "RollingUpdatePolicy" in config:
        policy = config["RollingUpdatePolicy"]
        timeout = policy.get("MaximumExecutionTimeoutInSeconds", math.inf)
        return Plan(True, (policy["MaximumBatchSize"],), policy["WaitIntervalInSeconds"], 0.0, timeout, base)
    policy = config.get("BlueGreenUpdatePolicy", {})
    routing = policy.get("TrafficRoutingConfiguration", {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0})
    steps: tuple[dict[str, Any], ...]
    match routing["Type"]:
        case "CANARY":
            steps = (routing["CanarySize"], ALL)
        case "LINEAR":
            steps = (routing["LinearStepSize"],)
        case _:
            steps = (ALL,)
    timeout = policy.get("MaximumExecutionTimeoutInSeconds", math.inf)
    linger = policy.get("TerminationWaitInSeconds", 0)
    return Plan(False, steps, routing["WaitIntervalInSeconds"], linger, timeout, base)


def shares(document: dict[str, Any]) -> dict[str, float]:
    """By variant of the current deployment: which share of it is turned on. Empty where nothing is updated."""
    return _shares(document, document["Rollout"]["Stage"]) if "Rollout" in document else {}


def wanted(document: dict[str, Any], deployment: dict[str, Any]) -> dict[str, int]:
    """How many replicas a deployment wants of each of its variants at this stage."""
    counts = {variant["VariantName"]: replicas_wanted(variant) for variant in deployment["Variants"]}
    rollout = document.get("Rollout")
    if rollout is None or not plan_of(rollout).rolling:
        return counts
    if deployment["Number"] == document["Deployment"]["Number"]:
        ahead = _shares(document, rollout["Stage"] + (rollout["Phase"] == PROVISIONING))
        return {name: math.ceil(ahead[name] * count - 1e-6) for name, count in counts.items()}
    gone = _gone(document)
    return {
        name: count - math.floor(gone.get(name, max(gone.values())) * count + 1e-6) for name, count in counts.items()
    }


def is_staffed(document: dict[str, Any], deployment: dict[str, Any], healthy: Set[str]) -> bool:
    """Whether all replicas that a deployment wants at this stage are healthy."""
    mine = replicas_of(document, deployment["Number"])
    return len(mine) == sum(wanted(document, deployment).values()) and all(r["Id"] in healthy for r in mine)


def advance(document: dict[str, Any], healthy: Set[str], now: float) -> dict[str, Any]:
    """The document as far on as it can be now; without a `Rollout` once the update is done."""
    while "Rollout" in document:
        moved = _move(document, healthy, now)
        if moved is None:
            break
        document = moved
    return document


def turn_back(document: dict[str, Any], reason: str, now: float) -> dict[str, Any]:
    """The document of an update that takes the deployment before it in again."""
    rollout = document["Rollout"]
    policy = rollout["Config"].get("RollingUpdatePolicy", {})
    batch = {"MaximumBatchSize": policy.get("RollbackMaximumBatchSize", ALL), "WaitIntervalInSeconds": 0}
    base = 1.0 - max(_gone(document).values()) if plan_of(rollout).rolling else 1.0
    previous, failed = document["Previous"], document["Deployment"]
    # The number of the failed deployment is not used again: replicas are told apart by it.
    number = failed["Number"] + 1
    replicas = [
        {**r, "Deployment": number} if r["Deployment"] == previous["Number"] else r for r in document["Replicas"]
    ]
    return {
        **document,
        "Replicas": replicas,
        "Deployment": {**previous, "Number": number},
        "Previous": failed,
        "Rollout": {**begin({"RollingUpdatePolicy": batch}, now), "Base": base, "Failure": reason[:1024]},
    }


def due(document: dict[str, Any]) -> float:
    """When the clock next moves the update, if nothing else does; infinite where it does not."""
    if "Rollout" not in document:
        return math.inf
    rollout = document["Rollout"]
    plan = plan_of(rollout)
    waits = {PROVISIONING: math.inf, BAKING: plan.wait, TERMINATING: plan.linger}
    return float(min(rollout["Since"] + waits[rollout["Phase"]], rollout["Began"] + plan.timeout))


def _move(document: dict[str, Any], healthy: Set[str], now: float) -> dict[str, Any] | None:
    """One phase further; None where it is not time yet."""
    rollout = document["Rollout"]
    plan, phase, waited = plan_of(rollout), rollout["Phase"], now - rollout["Since"]
    if phase == PROVISIONING and is_staffed(document, document["Deployment"], healthy):
        return _with(document, Phase=BAKING, Since=now, Stage=rollout["Stage"] + 1)
    if phase == BAKING and waited >= plan.wait:
        last = all(share == 1.0 for share in shares(document).values())
        return _with(document, Phase=TERMINATING if last else PROVISIONING, Since=now)
    if phase == TERMINATING and waited >= plan.linger:
        return _finished(document)
    return None


def _finished(document: dict[str, Any]) -> dict[str, Any]:
    kept = replicas_of(document, document["Deployment"]["Number"])
    done = {k: v for k, v in retire_others(document, kept).items() if k not in ("Previous", "Rollout")}
    failure = document["Rollout"].get("Failure")
    return {**done, "FailureReason": failure} if failure else done


def _with(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**document, "Rollout": {**document["Rollout"], **changes}}


def _gone(document: dict[str, Any]) -> dict[str, float]:
    """By variant: which share of the outgoing deployment of a rolling update has been let go of."""
    rollout = document["Rollout"]
    return _shares(document, rollout["Stage"] - (rollout["Phase"] == BAKING))


def _shares(document: dict[str, Any], stage: int) -> dict[str, float]:
    plan = plan_of(document["Rollout"])
    variants = document["Deployment"]["Variants"]
    return {v["VariantName"]: plan.share(stage, v["DesiredInstanceCount"]) for v in variants}


def _fraction(size: dict[str, Any], count: int) -> float:
    if size["Type"] == "CAPACITY_PERCENT":
        return float(size["Value"]) / 100
    return float(size["Value"]) / count if count else 1.0
