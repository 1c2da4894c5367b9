"""What the policies of a role forbid whoever has assumed it.

    PutRolePolicy, AttachRolePolicy … ─▶ forget (roles.py)     S3 ─▶ standing_of ─▶ Standing, from memory

Only what they deny counts: a principal of the account may do whatever no policy denies, so that roles for which
nobody wrote policies work.
"""

import logging
from dataclasses import dataclass
from typing import NamedTuple

from clary.arns import Arn, read_arn
from clary.control.house import House
from clary.policies.document import MalformedPolicy, Policy, read
from clary.records.record import Scope
from clary.services.iam.roles import DELETED, ROLE, standing_key

log = logging.getLogger(__name__)

_DENY_ALL = '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}'
_DENYING = ":iam::aws:policy/AWSDenyAll"
"""The policy managed by AWS that denies without conditions; those that a job's role is given only allow."""


@dataclass(frozen=True, slots=True)
class Standing:
    arn: str
    """Of the role."""
    denials: tuple[Policy, ...]


class AssumedRole(NamedTuple):
    scope: Scope
    name: str


def assumed_role(principal: str) -> AssumedRole | None:
    """The role whose session this is: `arn:aws:sts::123456789012:assumed-role/Name/session`."""
    arn = read_arn(principal)
    if arn is None or not arn.resource.startswith("assumed-role/"):
        return None
    # By the partition that the session is of, whichever the call is signed for.
    return AssumedRole(Scope(arn.account, f"{arn.partition}-global"), arn.resource.split("/")[1])


def known_standing(house: House, role: AssumedRole) -> Standing | None:
    return house.standings.known(standing_key(*role))


def standing_of(house: House, role: AssumedRole) -> Standing:
    """May ask the database."""
    standing: Standing = house.standings.get(standing_key(*role), lambda: _load(house, role))
    return standing


def _load(house: House, role: AssumedRole) -> Standing:
    record = house.records.find(ROLE, role.scope, role.name)
    if record is None or record.state == DELETED:
        partition = role.scope.region.removesuffix("-global")
        return Standing(str(Arn(partition, "iam", "", role.scope.account, f"role/{role.name}")), ())
    texts = [*record.document["Policies"].values()]
    texts += [_DENY_ALL for arn in record.document["Attached"] if arn.endswith(_DENYING)]
    policies = []
    for text in texts:
        try:
            policy = read(text, of_resource=False)
        except MalformedPolicy as error:
            log.warning("a policy of the role %s cannot be judged: %s", role.name, error)
            continue
        if not all(statement.allows for statement in policy.statements):
            policies.append(policy)
    return Standing(record.arn, tuple(policies))
