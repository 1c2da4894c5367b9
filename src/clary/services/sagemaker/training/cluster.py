"""The instances of a training job, and what each is told of the others.

    ResourceConfig ─▶ members: algo-1 (ml.m5.large, homogeneousCluster), algo-2 …
                         ├─▶ resourceconfig.json of each
                         └─▶ which of a channel's objects each gets

Names, files and distributions are those of SageMaker's contract with training containers ("Distributed training
configuration", "Train using a heterogeneous cluster", `S3DataSource`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clary.instance.spec import INTERFACE
from clary.services.sagemaker.errors import invalid
from clary.wire.errors import ServiceError

ONE_GROUP = "homogeneousCluster"
"""The name that AWS gives to the group of a job that names none."""
MOST_INSTANCES = 512
"""A mistyped count must not become so many processes."""


@dataclass(frozen=True, slots=True)
class Member:
    number: int
    type: str
    group: str

    @property
    def name(self) -> str:
        return f"algo-{self.number}"


def count(resources: dict[str, Any]) -> int:
    groups = resources.get("InstanceGroups")
    if groups:
        return sum(group["InstanceCount"] for group in groups)
    instances: int = resources.get("InstanceCount", 1)
    return instances


def members(resources: dict[str, Any]) -> list[Member]:
    """The instances of a `ResourceConfig` in the order of their numbers, group after group."""
    groups = resources.get("InstanceGroups") or [
        {
            "InstanceGroupName": ONE_GROUP,
            "InstanceType": resources["InstanceType"],
            "InstanceCount": resources.get("InstanceCount", 1),
        }
    ]
    kinds = [
        (group["InstanceType"], group["InstanceGroupName"]) for group in groups for _ in range(group["InstanceCount"])
    ]
    return [Member(number, kind, group) for number, (kind, group) in enumerate(kinds, 1)]


def resource_config(member: Member, all_members: Sequence[Member]) -> dict[str, Any]:
    """`resourceconfig.json` of one of them. Hosts are sorted by name, as documented: algo-10 comes before algo-2."""
    groups: dict[str, list[Member]] = {}
    for each in all_members:
        groups.setdefault(each.group, []).append(each)
    return {
        "current_host": member.name,
        "current_instance_type": member.type,
        "current_group_name": member.group,
        "hosts": sorted(each.name for each in all_members),
        "instance_groups": [
            {
                "instance_group_name": name,
                "instance_type": group[0].type,
                "hosts": sorted(each.name for each in group),
            }
            for name, group in groups.items()
        ],
        "network_interface_name": INTERFACE,
    }


def place(source: dict[str, Any], member: Member, all_members: Sequence[Member]) -> tuple[int, int] | None:
    """`member`'s place, and of how many, among those that share the objects of a channel with this `S3DataSource`:
    of n places each gets every n-th object. None where the channel is for other groups."""
    names = source.get("InstanceGroupNames")
    receivers = [each for each in all_members if not names or each.group in names]
    if member not in receivers:
        return None
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        return receivers.index(member), len(receivers)
    return 0, 1


def check(request: dict[str, Any]) -> None:
    """Raises `ValidationException` for a cluster that makes no sense."""
    resources = request.get("ResourceConfig", {})
    groups = resources.get("InstanceGroups") or []
    if groups and ("InstanceType" in resources or "InstanceCount" in resources):
        raise invalid("InstanceCount and InstanceType cannot be set when InstanceGroups is set in ResourceConfig.")
    names = [group["InstanceGroupName"] for group in groups]
    if len(set(names)) < len(names):
        raise invalid("The names of instance groups must be unique within a training job.")
    if any(group["InstanceCount"] < 1 for group in groups) or count(resources) < 1:
        raise invalid("A training job, and each of its instance groups, needs an InstanceCount of at least 1.")
    if count(resources) > MOST_INSTANCES:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"A training job can have at most {MOST_INSTANCES} instances, and {count(resources)} were asked for.",
        )
    for channel in request.get("InputDataConfig", []):
        wanted = channel["DataSource"].get("S3DataSource", {}).get("InstanceGroupNames") or []
        unknown = next((name for name in wanted if name not in (names or [ONE_GROUP])), None)
        if unknown is not None:
            raise invalid(
                f"The channel {channel['ChannelName']} names the instance group {unknown}, and ResourceConfig has none "
                "of that name."
            )
