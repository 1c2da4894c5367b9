"""What the router is told of an endpoint: the healthy replicas, and who of them answers how much.

While an update takes one deployment in and another out, a variant of both has replicas of both, and traffic goes by the
shares of the stage (`stages.py`); weights are blended by the same shares.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from clary.control.house import House
from clary.records.record import Record
from clary.routing.routes import Container, Route, Target, Variant
from clary.services.sagemaker.hosting.configs import RANDOM, hosts_components
from clary.services.sagemaker.hosting.deployment import deployments_of, instances_of, replicas_of
from clary.services.sagemaker.hosting.kinds import CREATING, route_of
from clary.services.sagemaker.hosting.models import containers_of, is_direct, serves_many
from clary.services.sagemaker.hosting.replicas import Observations
from clary.services.sagemaker.hosting.serverless import most_at_once
from clary.services.sagemaker.hosting.stages import shares

ASYNCHRONOUS_AT_ONCE = 4
"""Where a configuration leaves it to the platform."""


def publish(house: House, record: Record, observed: Observations) -> None:
    if record.state != CREATING:
        waiting, timeout = house.settings.invocations_waiting, house.settings.invocation_timeout
        told, most = _variants(house, record, observed), most_at_once(record.document)
        configured = {v["VariantName"]: v for d in deployments_of(record.document) for v in d["Variants"]}
        variants = tuple(
            replace(
                variant,
                waiting=waiting,
                timeout=timeout,
                concurrency=most.get(variant.name),
                at_random=configured[variant.name].get("RoutingConfig", {}).get("RoutingStrategy") == RANDOM,
                hosts_components=hosts_components(configured[variant.name]),
            )
            for variant in told
        )
        serving = record.document.get("Previous") or record.document["Deployment"]
        route = Route(variants, owner=record.id, asynchronous=_at_once(serving), capture=_capture(serving))
        house.router.publish(record.scope, route_of(record), route)


def _capture(deployment: dict[str, Any]) -> dict[str, Any] | None:
    config: dict[str, Any] = deployment.get("DataCaptureConfig", {"EnableCapture": False})
    return config if config.get("EnableCapture", True) else None


def _at_once(deployment: dict[str, Any]) -> int | None:
    """How many asynchronous invocations a replica has at once; None where the endpoint is no asynchronous one."""
    if "AsyncInferenceConfig" not in deployment:
        return None
    client = deployment["AsyncInferenceConfig"].get("ClientConfig", {})
    return int(client.get("MaxConcurrentInvocationsPerInstance", ASYNCHRONOUS_AT_ONCE))


def _variants(house: House, record: Record, observed: Observations) -> list[Variant]:
    document = record.document
    incoming, outgoing = document["Deployment"], document.get("Previous")
    current = _targets(house, document, incoming, observed)
    if outgoing is None:
        return [
            Variant(
                v["VariantName"],
                v["DesiredWeight"],
                current[v["VariantName"]],
                bool(v.get("Shadow")),
                direct=_is_direct(v["VariantName"], incoming),
            )
            for v in incoming["Variants"]
        ]
    before = _targets(house, document, outgoing, observed)
    on = shares(document)
    new, old = _portions(incoming), _portions(outgoing)
    blended = []
    for name in {**new, **old}:
        share = on.get(name, max(on.values()))
        if (share == 1 and name not in new) or (share == 0 and name not in old):
            continue
        coming, going = share * new.get(name, 0.0), (1 - share) * old.get(name, 0.0)
        blended.append(
            Variant(
                name,
                weight=coming + going,
                targets=before.get(name, ()) if share < 1 else current.get(name, ()),
                shadow=_is_shadow(name, incoming, outgoing),
                direct=_is_direct(name, outgoing, incoming) if share < 1 else _is_direct(name, incoming),
                incoming=current.get(name, ()) if 0 < share < 1 else (),
                incoming_share=coming / (coming + going) if coming else 0.0,
            )
        )
    return blended


def _targets(
    house: House, document: dict[str, Any], deployment: dict[str, Any], observed: Observations
) -> Mapping[str, tuple[Target, ...]]:
    """The healthy replicas of each variant."""
    healthy = [r for r in replicas_of(document, deployment["Number"]) if r["Id"] in observed.healthy]
    return {
        variant["VariantName"]: tuple(
            _target(house, replica, deployment["Models"][variant["ModelName"]])
            for replica in healthy
            if replica["Variant"] == variant["VariantName"]
        )
        for variant in deployment["Variants"]
    }


def _target(house: House, replica: dict[str, Any], model: dict[str, Any]) -> Target:
    containers = tuple(
        Container(
            house.engine.address(instance_id), hostname, container["ModelDataUrl"] if serves_many(container) else ""
        )
        for (instance_id, hostname), container in zip(instances_of(replica).items(), containers_of(model), strict=True)
    )
    return Target(replica["Id"], containers)


def _portions(deployment: dict[str, Any]) -> dict[str, float]:
    """Weights by variant, of which those of production variants sum to 1."""
    variants = deployment["Variants"]
    total = sum(variant["DesiredWeight"] for variant in variants if not variant.get("Shadow")) or 1.0
    return {variant["VariantName"]: variant["DesiredWeight"] / total for variant in variants}


def _is_shadow(name: str, *deployments: dict[str, Any]) -> bool:
    return any(v["VariantName"] == name and v.get("Shadow") for d in deployments for v in d["Variants"])


def _is_direct(name: str, *deployments: dict[str, Any]) -> bool:
    """Of the first of the deployments that has the variant."""
    named = [(d, v) for d in deployments for v in d["Variants"] if v["VariantName"] == name and not hosts_components(v)]
    return bool(named) and is_direct(named[0][0]["Models"][named[0][1]["ModelName"]])
