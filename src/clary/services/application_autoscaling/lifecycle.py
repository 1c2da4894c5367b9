"""A scalable target: woken by alarms, by its schedule and by changes of it, it brings capacity where it should be."""

import time
from typing import Any, NamedTuple

from clary.control.house import House
from clary.records.errors import IllegalTransition, NotFound
from clary.records.query import Query
from clary.records.record import Record, Scope
from clary.services.application_autoscaling.actions import due
from clary.services.application_autoscaling.activities import begun, changed, ended, in_progress
from clary.services.application_autoscaling.decision import Ringing, cooldowns, stepped, tracked
from clary.services.application_autoscaling.resources import SCALABLE, Capacity, NoSuchResource
from clary.services.application_autoscaling.targets import AT_ONCE, TARGETS
from clary.services.cloudwatch.alarms.kind import ALARM, ALARMS
from clary.services.cloudwatch.alarms.lifecycle import latest_value

WHILE_CHANGING = 1.0
"""Seconds between two looks at a resource that is being changed."""
HIGHEST = "AlarmHigh"


class Wish(NamedTuple):
    capacity: int
    policy: str
    cause: str


class TargetReconciler:
    kind = TARGETS

    def __init__(self, house: House) -> None:
        self._house = house

    def step(self, record_id: str) -> float | None:
        try:
            record = self._house.records.load(record_id)
            capacity = self._capacity(record)
        except (NotFound, NoSuchResource):
            return None
        record, scheduled = self._take_scheduled(record)
        if in_progress(record.document) is not None:
            record = self._follow(record, capacity)
        if in_progress(record.document) is None:
            self._scale(record, capacity, scheduled)
        return self._delay(self._house.records.load(record_id))

    def _capacity(self, record: Record) -> Capacity:
        scalable = SCALABLE[record.document["ScalableDimension"]]
        return scalable.capacity(self._house, record.scope, record.document["ResourceId"])

    def _take_scheduled(self, record: Record) -> tuple[Record, str]:
        """Take the actions that are due; returns the name of the last."""
        document, now, name = record.document, time.time(), ""
        if document["SuspendedState"]["ScheduledScalingSuspended"]:
            return record, name
        for action in document["Actions"].values():
            at = due(action)
            if at is not None and at <= now:
                name = action["ScheduledActionName"]
                actions = {**document["Actions"], name: {**action, "After": now}}
                document = {**document, **action["ScalableTargetAction"], "Actions": actions}
        return (self._house.records.update(record, document), name) if name else (record, name)

    def _scale(self, record: Record, capacity: Capacity, scheduled: str) -> None:
        """Begin what is wished for, unless the resource is being changed by somebody else."""
        wish = self._wish(record, capacity.desired, scheduled)
        if wish is None or capacity.busy:
            return
        words = SCALABLE[record.document["ScalableDimension"]].words
        document = begun(record.document, words, capacity.desired, wish.capacity, wish.cause, wish.policy)
        self._follow(self._house.records.update(record, document), capacity)

    def _follow(self, record: Record, capacity: Capacity) -> Record:
        """Do what the activity in progress says, or see what came of it."""
        document, records = record.document, self._house.records
        activity = document["Activities"][-1]
        scalable, words = SCALABLE[document["ScalableDimension"]], f"{activity['To']}"
        if not activity["Begun"]:
            try:
                if capacity.desired != activity["To"]:
                    scalable.change(self._house, record.scope, document["ResourceId"], activity["To"])
            except IllegalTransition as error:
                return records.update(record, ended(document, "Failed", f"Failed to set {scalable.words}: {error}"))
            return records.update(record, changed(document, Begun=True))
        if capacity.busy:
            return record
        if capacity.desired == activity["To"]:
            message = f"Successfully set {scalable.words} to {words}. Change successfully fulfilled by sagemaker."
            return records.update(record, ended(document, "Successful", message))
        message = f"Failed to set {scalable.words} to {words}: it is {capacity.desired}. See what the endpoint tells."
        return records.update(record, ended(document, "Failed", message))

    def _wish(self, record: Record, capacity: int, scheduled: str) -> Wish | None:
        least, most = record.document["MinCapacity"], record.document["MaxCapacity"]
        if not least <= capacity <= most:
            bound = "minimum" if capacity < least else "maximum"
            to = min(max(capacity, least), most)
            cause = f"{bound} capacity was set to {to}"
            return Wish(to, "", f"scheduled action name {scheduled} was triggered" if scheduled else cause)
        wishes = [self._wish_of(record, policy, capacity) for policy in record.document["Policies"].values()]
        bounded = [wish._replace(capacity=min(max(wish.capacity, least), most)) for wish in wishes if wish is not None]
        out = [wish for wish in bounded if wish.capacity > capacity]
        if out:
            return max(out)
        # To scale in, all that would scale have to agree.
        trackers = [p for p in record.document["Policies"].values() if p["PolicyType"] == "TargetTrackingScaling"]
        inwards = [wish for wish in bounded if wish.capacity < capacity]
        agreed = {wish.policy for wish in inwards} >= {p["PolicyName"] for p in trackers if not _only_out(p)}
        return max(inwards) if inwards and agreed else None

    def _wish_of(self, record: Record, policy: dict[str, Any], capacity: int) -> Wish | None:
        """None where a policy's alarms are still, or it cools down."""
        ringing = self._ringing(record.scope, policy["PolicyARN"])
        if not ringing:
            return None
        base, may_out, may_in = _room(record.document, policy, capacity)
        if policy["PolicyType"] == "StepScaling":
            wanted = stepped(policy, base, ringing[0])
        else:
            high = [alarm for alarm in ringing if HIGHEST in alarm.name]
            wanted = tracked(policy, base, high, [alarm for alarm in ringing if alarm not in high])
        if wanted == capacity or not (may_out if wanted > capacity else may_in):
            return None
        cause = f"monitor alarm {ringing[0].name} in state ALARM triggered policy {policy['PolicyName']}"
        return Wish(wanted, policy["PolicyName"], cause)

    def _ringing(self, scope: Scope, policy_arn: str) -> list[Ringing]:
        """The alarms in ALARM that act on a policy, and whose metric says how much."""
        query = Query(status=ALARM.status, sort_by="Name", max_results=AT_ONCE)
        found = []
        for alarm in self._house.records.list(ALARMS, scope, query).records:
            if policy_arn in alarm.document["AlarmActions"] and alarm.document["ActionsEnabled"]:
                value = latest_value(self._house, alarm)
                if value is not None:
                    found.append(Ringing(alarm.name, value, alarm.document["Threshold"]))
        return found

    def _delay(self, record: Record) -> float | None:
        if in_progress(record.document) is not None:
            return WHILE_CHANGING
        times = [at for action in record.document["Actions"].values() if (at := due(action)) is not None]
        return max(0.0, min(times) - time.time()) if times else None


def _only_out(policy: dict[str, Any]) -> bool:
    return bool(policy["TargetTrackingScalingPolicyConfiguration"].get("DisableScaleIn"))


def _room(document: dict[str, Any], policy: dict[str, Any], capacity: int) -> tuple[int, bool, bool]:
    """The capacity that a policy counts from, and whether it may scale out and in now.

    While a policy cools down from scaling out, what was added counts as part of what is asked for next: it is counted
    from what there was before. Scaling out may end the cooldown of scaling in.
    """
    suspended = document["SuspendedState"]
    may_out, may_in = not suspended["DynamicScalingOutSuspended"], not suspended["DynamicScalingInSuspended"]
    done = [activity for activity in document["Activities"] if activity["StatusCode"] == "Successful"]
    if not done:
        return capacity, may_out, may_in
    last, (after_out, after_in) = done[-1], cooldowns(policy)
    out = last["To"] > last["From"]
    cooling = time.time() < last["EndTime"] + (after_out if out else after_in)
    return last["From"] if out and cooling else capacity, may_out, may_in and not cooling
