"""Whether the copies of an endpoint's components find room on its instances.

An instance of such an endpoint is a budget of what its type has. A component is admitted with the most copies that it
has at once, an update's among them, and what is admitted is counted against all that come after it.
"""

import math
import threading
from typing import Any

from clary.control.house import House
from clary.engines.answers import Place, Resources
from clary.engines.capacity import fit
from clary.records.query import Query
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.components.specification import host_of
from clary.services.sagemaker.hosting.configs import most_hosts
from clary.services.sagemaker.hosting.deployment import deployments_of
from clary.services.sagemaker.hosting.endpoints import MOST_HOSTED
from clary.services.sagemaker.hosting.kinds import COMPONENT, FAILED
from clary.services.sagemaker.hosting.lifecycle import EndpointReconciler
from clary.services.sagemaker.hosting.rollout import keep
from clary.services.sagemaker.hosting.stages import plan_of
from clary.services.sagemaker.instances.types import instance_type

ADMITTED = "Admitted"
"""Member of the document: what each of the copies that were admitted takes."""


class ComponentReconciler(EndpointReconciler):
    kind = COMPONENT

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._placing = threading.Lock()

    def admit(self, record: Record) -> Record:
        needs = _most_at_once(record.document)
        # What is taken back goes where it came from.
        if record.document.get(ADMITTED) == needs or "Failure" in record.document.get("Rollout", {}):
            return record
        with self._placing:
            if len(needs) > len(record.document.get(ADMITTED, [])) or _grows(record.document, needs):
                _check_room(self._house, record, needs)
            return keep(self._house, record, {**record.document, ADMITTED: needs})


def _most_at_once(document: dict[str, Any]) -> list[dict[str, float]]:
    """What each of the copies needs that there may be at one moment."""
    each = [needs for deployment in deployments_of(document) for needs in _needs(deployment)]
    rollout = document.get("Rollout")
    if rollout is None or not each:
        return each
    counts = [deployment["Variants"][0]["DesiredInstanceCount"] for deployment in deployments_of(document)]
    ahead = math.ceil(plan_of(rollout).share(1, max(counts)) * max(counts) - 1e-6)
    largest = {name: max(needs[name] for needs in each) for name in each[0]}
    return [largest] * min(sum(counts), max(counts) + ahead)


def _needs(deployment: dict[str, Any]) -> list[dict[str, float]]:
    (variant,) = deployment["Variants"]
    needs: dict[str, float] = variant["Needs"]
    return [needs] * variant["DesiredInstanceCount"]


def _grows(document: dict[str, Any], needs: list[dict[str, float]]) -> bool:
    before = document.get(ADMITTED, [])
    return bool(needs) and any(needs[0][name] > max((b[name] for b in before), default=0.0) for name in needs[0])


def _check_room(house: House, record: Record, needs: list[dict[str, float]]) -> None:
    assert record.parent is not None
    endpoint = house.records.load(record.parent)
    host = host_of(endpoint, record.document["VariantName"])
    kind = instance_type(host["InstanceType"])
    total = Resources(kind.vcpus, kind.memory, kind.gpus)
    places = [Place(str(number), total) for number in range(most_hosts(host))]
    others = house.records.list(COMPONENT, record.scope, Query(parent=record.parent, max_results=MOST_HOSTED))
    taken = [
        each
        for other in others.records
        if other.id != record.id and other.state != FAILED and other.document["VariantName"] == host["VariantName"]
        for each in other.document.get(ADMITTED, [])
    ]
    if fit([Resources(**each) for each in [*taken, *needs]], places) is None:
        raise JobError(
            f"InsufficientCapacity: {len(needs)} copies find no room on the {len(places)} instances of type "
            f"{host['InstanceType']} of variant {host['VariantName']}, beside {len(taken)} copies of other components. "
            "Ask for fewer copies, for less for each, or for more instances."
        )
