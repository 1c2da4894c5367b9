"""What a `DeploymentConfig` may ask for: the bounds that AWS documents for deployment guardrails."""

import math
from typing import Any

from clary.control.call import Call
from clary.services.cloudwatch.alarms.kind import ALARMS
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.hosting.stages import begin, plan_of

SIZES = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
"""The member that each type of traffic routing needs, and no other has."""
LEAST = {"CanarySize": 0.0, "LinearStepSize": 0.1, "MaximumBatchSize": 0.05}
MOST = 0.5


def check_deployment_config(call: Call, config: dict[str, Any], variants: list[dict[str, Any]]) -> None:
    """`variants` are those that the deployment brings."""
    if "BlueGreenUpdatePolicy" in config and "RollingUpdatePolicy" in config:
        raise invalid("A DeploymentConfig has either a BlueGreenUpdatePolicy or a RollingUpdatePolicy, not both.")
    if "BlueGreenUpdatePolicy" in config:
        _check_routing(config["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"], variants)
    if "RollingUpdatePolicy" in config:
        _check_size("MaximumBatchSize", config["RollingUpdatePolicy"]["MaximumBatchSize"], variants)
    _check_timeout(config, variants)
    for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", []):
        if call.house.records.find(ALARMS, call.scope, alarm["AlarmName"]) is None:
            raise invalid(f"The CloudWatch alarm {alarm['AlarmName']} of AutoRollbackConfiguration does not exist.")


def _check_routing(routing: dict[str, Any], variants: list[dict[str, Any]]) -> None:
    needed = SIZES.get(routing["Type"])
    for member in SIZES.values():
        if member in routing and member != needed:
            raise invalid(f"{member} cannot be specified for traffic routing of type {routing['Type']}.")
    if needed is not None:
        if needed not in routing:
            raise invalid(f"{needed} must be specified for traffic routing of type {routing['Type']}.")
        _check_size(needed, routing[needed], variants)


def _check_size(member: str, size: dict[str, Any], variants: list[dict[str, Any]]) -> None:
    for variant in variants:
        count = variant["DesiredInstanceCount"]
        share = size["Value"] / 100 if size["Type"] == "CAPACITY_PERCENT" else size["Value"] / max(count, 1)
        if not LEAST[member] <= share <= MOST:
            raise invalid(
                f"{member} must be between {LEAST[member]:.0%} and {MOST:.0%} of the instances of a variant: "
                f"{size['Value']} ({size['Type']}) is {share:.0%} of those of {variant['VariantName']}."
            )


def _check_timeout(config: dict[str, Any], variants: list[dict[str, Any]]) -> None:
    plan = plan_of(begin(config, 0.0))
    stages = 1
    while any(plan.share(stages, variant["DesiredInstanceCount"]) < 1 for variant in variants):
        stages += 1
    waits = stages * plan.wait + plan.linger
    if not math.isinf(plan.timeout) and plan.timeout <= waits:
        raise invalid(
            f"MaximumExecutionTimeoutInSeconds must be more than the {waits:.0f} seconds that the waits take."
        )
