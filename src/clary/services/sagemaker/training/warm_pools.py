"""Managed warm pools: the instances of a job that has ended stay, for the next job that is alike.

    the job has ended ─▶ Available ─┬─ a job that matches starts ─▶ Claimed: its instances come after these ─▶ Reused
                                    └─ the time is over ─▶ Terminated: the instances are released

A pool is a record, a child of the job that it was left by. What users read of it stands in the jobs' documents, which
change in the same transaction. What matches, and what becomes of a job that failed: "SageMaker AI Managed Warm Pools".
"""

import json
import math
import time
from typing import Any

from clary.arns import regional_arn
from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.errors import NotFound
from clary.records.query import Query
from clary.records.record import KINDS, NEVER, Kind, Record, State
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.instances.watching import release, status_of
from clary.services.sagemaker.jobs.attempts import INTERNAL, instance_ids
from clary.services.sagemaker.jobs.interruptions import is_spot
from clary.services.sagemaker.jobs.pools import Pools
from clary.services.sagemaker.training.cluster import count

STATUS = "WarmPoolStatus"
TAKEN = "WarmPoolTaken"
"""Of a job's document: whose instances its own come after, and since when the cluster is warm. No shape has it."""
CACHE = "/opt/ml/sagemaker/warmpoolcache"
CACHE_VARIABLE = "SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"
LONGEST_CHAIN = 28 * 24 * 3600
"""Seconds for which a cluster may go from job to job."""
LOOK_AGAIN = 1.0
"""Seconds until it is looked at whether a claim was made use of. Nothing waits for that."""

AVAILABLE, CLAIMED, REUSED, TERMINATED = State("Available"), State("Claimed"), State("Reused"), State("Terminated")
WARM_POOL = Kind(
    name="warm-pool",
    transitions={AVAILABLE: frozenset({CLAIMED, TERMINATED}), CLAIMED: frozenset({REUSED})},
    live=frozenset({"Available", "Claimed"}),
)


def check_keep_alive(request: dict[str, Any]) -> None:
    """Raises `ValidationException`."""
    if not keep_alive(request):
        return
    if is_spot(request):
        raise invalid("KeepAlivePeriodInSeconds cannot be set when EnableManagedSpotTraining is true.")
    if request["ResourceConfig"].get("InstanceGroups"):
        raise invalid("KeepAlivePeriodInSeconds cannot be set when InstanceGroups is set in ResourceConfig.")


def keep_alive(job: dict[str, Any]) -> int:
    seconds: int = job["ResourceConfig"].get("KeepAlivePeriodInSeconds", 0)
    return seconds


def lasting(job: dict[str, Any]) -> list[str]:
    """Directories of the job's instances that another may begin with."""
    return [CACHE] if keep_alive(job) or TAKEN in job else []


def predecessor(job: dict[str, Any], number: int) -> str:
    """The id of the instance that the job's own comes after; empty where that is none."""
    ids: list[str] = job.get(TAKEN, {}).get("Instances", [])
    return ids[number - 1] if ids else ""


def told(job: Record) -> dict[str, Any]:
    """The status of the job's pool, with the time for which it has been kept up to now."""
    status = job.document.get(STATUS)
    if not status or status["Status"] != "Available":
        return {}
    return {STATUS: {**status, **_retained(job.document["TrainingEndTime"])}}


def set_keep_alive(house: House, job: Record, seconds: int) -> Record:
    """Keep the pool of a job for so long since its end; of one that still runs, for so long once it has ended."""
    resources = {**job.document["ResourceConfig"], "KeepAlivePeriodInSeconds": seconds}
    if not keep_alive(job.document):
        raise invalid(f"The training job {job.name} was not created with a KeepAlivePeriodInSeconds.")
    pool = house.records.find(WARM_POOL, job.scope, job.id)
    if job.state.status not in KINDS[job.kind].live and (pool is None or pool.state != AVAILABLE):
        raise invalid(f"The training job {job.name} has no warm pool that is Available.")
    with house.records.together():
        if pool is not None:
            expires = min(pool.document["Opened"] + seconds, pool.document["Began"] + LONGEST_CHAIN)
            house.records.update(pool, {**pool.document, "Expires": expires}, wake_at=expires)
        return house.records.update(job, {**job.document, "ResourceConfig": resources})


class WarmPools(Pools):
    def claim(self, house: House, job: Record) -> Record:
        """Takes a pool that the job matches, where there is one."""
        if TAKEN in job.document or is_spot(job.document) or job.document["ResourceConfig"].get("InstanceGroups"):
            return job
        alike = Query(status="Available", members=(("Match", _match(job.document)),), sort_by="Status", max_results=1)
        for pool in house.records.list(WARM_POOL, job.scope, alike).records:
            if pool.document["Expires"] > time.time():
                return _claim(house, job, pool)
        return job

    def leave(self, house: House, job: Record, status: InstanceStatus | None) -> None:
        """Leaves the instances to a pool, where they are well and the job asked for one."""
        if not keep_alive(job.document) and TAKEN not in job.document:
            return
        now = time.time()
        began = job.document.get(TAKEN, {}).get("Began", job.created)
        expires = min(now + keep_alive(job.document), began + LONGEST_CHAIN)
        if status is None or not _is_well(status) or not house.engine.shares_disk or expires <= now:
            house.records.update(job, {**job.document, STATUS: {"Status": "Terminated", **_retained(now)}})
            return
        house.records.update(job, {**job.document, STATUS: {"Status": "Available"}})
        pool = {
            "Match": _match(job.document),
            "Instances": instance_ids(job, count(job.document["ResourceConfig"])),
            "Began": began,
            "Opened": now,
            "Expires": expires,
        }
        arn = regional_arn("sagemaker", job.scope.region, job.scope.account, f"{WARM_POOL.name}/{job.id}")
        house.records.create(WARM_POOL, job.scope, job.id, arn, pool, AVAILABLE, parent=job.id, wake_at=expires)

    def holds(self, job: Record) -> bool:
        """Whether they are a pool's, or another job's by now."""
        return job.document.get(STATUS, {}).get("Status") in ("Available", "Reused")


class WarmPoolReconciler:
    kind = WARM_POOL

    def __init__(self, house: House) -> None:
        self._house = house

    def step(self, record_id: str) -> float | None:
        try:
            pool = self._house.records.load(record_id)
        except NotFound:
            return None
        if pool.state == AVAILABLE:
            left: float = pool.document["Expires"] - time.time()
            if left > 0:
                return left
            self._terminate(pool)
        elif pool.state == CLAIMED:
            if not self._was_made_use_of(pool):
                # Later and later: the job may wait for room, where what it claimed was lost.
                return max(LOOK_AGAIN, time.time() - pool.modified)
            for instance_id in pool.document["Instances"]:
                release(self._house, instance_id)
            self._house.records.transition(pool, REUSED)
        return None

    def _terminate(self, pool: Record) -> None:
        """This wakes the job, which lets go of its instances then."""
        records = self._house.records
        with records.together():
            records.transition(pool, TERMINATED, wake_at=NEVER)
            job = records.load(pool.parent or "")
            status = {"Status": "Terminated", **_retained(pool.document["Opened"])}
            records.update(job, {**job.document, STATUS: status})

    def _was_made_use_of(self, pool: Record) -> bool:
        """Whether the job that claimed it has started, or has ended."""
        try:
            job = self._house.records.load(pool.document["Claimant"])
        except NotFound:
            return True
        if job.state.status not in KINDS[job.kind].live:
            return True
        found = [status_of(self._house, each) for each in instance_ids(job, len(pool.document["Instances"]))]
        return all(status is not None and status.phase != "Pending" for status in found)


def _claim(house: House, job: Record, pool: Record) -> Record:
    """Raises `Stale` where another was quicker: the job's step is then taken again."""
    taken = {"Instances": pool.document["Instances"], "Began": pool.document["Began"]}
    with house.records.together():
        before = house.records.load(pool.parent or "")
        reused = {"Status": "Reused", **_retained(pool.document["Opened"]), "ReusedByJob": job.name}
        house.records.transition(pool, CLAIMED, document={**pool.document, "Claimant": job.id}, wake_at=NEVER)
        house.records.update(before, {**before.document, STATUS: reused})
        return house.records.update(job, {**job.document, STATUS: {"Status": "InUse"}, TAKEN: taken})


def _is_well(status: InstanceStatus) -> bool:
    """Whether the instances came to be, and nothing but the job itself ended them."""
    failed_of_itself = status.outcome != "Failed" or not status.reason.startswith(INTERNAL)
    return "Downloading" in status.entered and failed_of_itself and not status.lost


def _match(job: dict[str, Any]) -> str:
    """The same text for jobs of which one may use the other's pool."""
    resources, network = job["ResourceConfig"], job.get("VpcConfig", {})
    kinds = ("InstanceCount", "InstanceType", "VolumeKmsKeyId", "VolumeSizeInGB")
    return json.dumps(
        [
            job["RoleArn"],
            *(resources.get(member) for member in kinds),
            *(sorted(network.get(member, [])) for member in ("SecurityGroupIds", "Subnets")),
            job["EnableInterContainerTrafficEncryption"],
            job["EnableNetworkIsolation"],
        ]
    )


def _retained(since: float) -> dict[str, int]:
    return {"ResourceRetainedBillableTimeInSeconds": max(0, math.ceil(time.time() - since))}
