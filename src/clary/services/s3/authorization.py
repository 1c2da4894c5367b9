"""Whether the caller may do what a call asks, before its handler sees it.

    the account's principals   may do all that neither the bucket's policy nor their role's policies deny
    whoever did not sign       only what the bucket's policy, or a list of grants, allows everybody
    the platform itself        all: only its own presigned URLs say that they are its

Of the account, nobody can be locked out for good: its root may always see, replace and delete a bucket's policy.
A call for which there is no policy to ask costs two look-ups in memory.
"""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

from clary.arns import Arn, partition_of, read_arn
from clary.control.call import Call
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.policies.document import MalformedPolicy, Policy, read
from clary.policies.judging import Question, Verdict, judge
from clary.policies.public import is_public
from clary.services.iam.standing import Standing, assumed_role, known_standing, standing_of
from clary.services.s3.actions import Act, acts_of
from clary.services.s3.circumstances import Circumstances
from clary.services.s3.grants import granted_to_all
from clary.services.s3.lookup import named_object
from clary.services.s3.names import owner
from clary.services.s3.ownership import BUCKET_ACL, ENFORCED, blocks, ownership_of
from clary.services.s3.settings import REQUESTER_PAYS
from clary.wire.credentials import ANONYMOUS, PLATFORM

log = logging.getLogger(__name__)

POLICY = "BucketPolicy"
_ALWAYS_ROOTS = frozenset({"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"})

_OVERRIDES = (
    "ResponseCacheControl",
    "ResponseContentDisposition",
    "ResponseContentEncoding",
    "ResponseContentLanguage",
    "ResponseContentType",
    "ResponseExpires",
)
_TELLING = frozenset({"GetObject", "GetObjectAttributes", "HeadObject"})
"""Operations that tell whether a key is there."""

_OF_BUCKET_ACL = {
    "s3:ListBucket": "READ",
    "s3:ListBucketVersions": "READ",
    "s3:ListBucketMultipartUploads": "READ",
    "s3:PutObject": "WRITE",
    "s3:DeleteObject": "WRITE",
    "s3:GetBucketAcl": "READ_ACP",
}
_OF_OBJECT_ACL = {
    "s3:GetObject": "READ",
    "s3:GetObjectVersion": "READ",
    "s3:GetObjectAcl": "READ_ACP",
    "s3:GetObjectVersionAcl": "READ_ACP",
}
"""The permission in a list that an action takes."""


def must_ask(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> bool:
    """Whether there may be anything to judge; `authorize` may then wait for the database."""
    if call.principal == PLATFORM:
        return False
    if store.documents.of(request.get("Bucket", ""), POLICY) is not None or "CopySource" in request:
        return True
    if call.principal.endswith(":root"):
        return False
    role = assumed_role(call.principal)
    standing = known_standing(call.house, role) if role else None
    return standing is None or bool(standing.denials)


def authorize(store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any]) -> None:
    """Raise `AccessDenied` where the caller may not do all of it."""
    if call.principal == ANONYMOUS and any(member in request for member in _OVERRIDES):
        message = "Request specific response headers cannot be used for anonymous GET requests."
        raise StoreError("InvalidRequest", message)
    acts = acts_of(operation, request)
    if not acts and call.principal == ANONYMOUS:
        raise _denied()  # what asks for each object by itself is not for strangers
    for act in acts:
        authorize_act(store, call, operation, request, act)


def conceal(store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any], error: StoreError) -> None:
    """Raise `AccessDenied` instead of telling that a key is missing to whoever may not list the bucket's keys."""
    if operation in _TELLING and error.code == "NoSuchKey" and must_ask(store, call, request):
        authorize_act(store, call, "ListObjectsV2", request, Act("s3:ListBucket", request["Bucket"]))


def authorize_act(store: EmbeddedStore, call: Call, operation: str, request: dict[str, Any], act: Act) -> None:
    role = assumed_role(call.principal)
    standing = standing_of(call.house, role) if role else None
    circumstances = Circumstances(store, call, operation, request, act, standing.arn if standing else "")
    caller = read_arn(call.principal)
    partition = caller.partition if caller else partition_of(call.scope.region)
    question = Question(_names(call, standing, partition), act.action, act.resource(partition), circumstances)
    by_bucket = _of_bucket(store, call, question, act)
    if by_bucket is Verdict.DENY:
        raise _denied_explicitly(call, question, "a resource-based policy")
    if standing and any(judge(policy, question) is Verdict.DENY for policy in standing.denials):
        raise _denied_explicitly(call, question, "an identity-based policy")
    if call.principal == ANONYMOUS and not _open_to_all(store, request, act, by_bucket):
        raise _denied()


def deletion_refusal(
    store: EmbeddedStore, call: Call, request: dict[str, Any], entry: dict[str, Any]
) -> StoreError | None:
    """Why DeleteObjects may not delete one of the objects that it lists, if so."""
    if not must_ask(store, call, request):
        return None
    shared = {member: request[member] for member in ("Bucket", "BypassGovernanceRetention") if member in request}
    one = {"Key": entry["Key"], "VersionId": entry.get("VersionId"), **shared}
    try:
        authorize(store, call, "DeleteObject", one)
    except StoreError as error:
        return error
    return None


def policy_of(store: EmbeddedStore, bucket: str) -> Policy | None:
    """The bucket's policy. One that cannot be read, as earlier Clarys kept them, denies nothing and opens nothing."""
    text = store.documents.of(bucket, POLICY)
    try:
        return None if text is None else read(text)
    except MalformedPolicy as error:
        log.warning("the policy of the bucket %s cannot be judged: %s", bucket, error)
        return None


def _of_bucket(store: EmbeddedStore, call: Call, question: Question, act: Act) -> Verdict:
    policy = policy_of(store, act.bucket)
    if policy is None or (act.action in _ALWAYS_ROOTS and call.principal.endswith(":root")):
        return Verdict.NEUTRAL
    # Its policy names the bucket as one of its own region's partition, whichever the caller is of.
    region = store.view(lambda connection: buckets.find(connection, act.bucket)).region
    return judge(policy, replace(question, resource=act.resource(partition_of(region))))


def _names(call: Call, standing: Standing | None, partition: str) -> frozenset[str]:
    if call.principal == ANONYMOUS:
        return frozenset()
    account = call.scope.account
    names = {account, str(Arn(partition, "iam", "", account, "root")), call.principal}
    if standing:
        names.add(standing.arn)
    return frozenset(f"AWS:{name}" for name in names) | {f"CanonicalUser:{owner(account)['ID']}"}


def _open_to_all(store: EmbeddedStore, request: dict[str, Any], act: Act, by_policy: Verdict) -> bool:
    if not act.bucket or store.documents.of(act.bucket, "BucketRequestPayment") == REQUESTER_PAYS:
        return False  # whoever pays must be known
    if by_policy is Verdict.ALLOW:
        policy = policy_of(store, act.bucket)
        return not (policy and is_public(policy) and blocks(store, act.bucket, "RestrictPublicBuckets"))
    if blocks(store, act.bucket, "IgnorePublicAcls") or ownership_of(store, act.bucket) == ENFORCED:
        return False
    if act.action in _OF_BUCKET_ACL:
        grants = store.documents.of(act.bucket, BUCKET_ACL) or []
        return granted_to_all(grants, _OF_BUCKET_ACL[act.action])
    return act.action in _OF_OBJECT_ACL and granted_to_all(_object_grants(store, request), _OF_OBJECT_ACL[act.action])


def _object_grants(store: EmbeddedStore, request: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        _, version = store.view(partial(named_object, request=request))
    except StoreError:
        return []
    grants: list[dict[str, Any]] = version.headers.get("Grants", [])
    return grants


def _denied() -> StoreError:
    return StoreError("AccessDenied", "Access Denied", 403)


def _denied_explicitly(call: Call, question: Question, where: str) -> StoreError:
    if call.principal == ANONYMOUS:
        return _denied()
    message = (
        f"User: {call.principal} is not authorized to perform: {question.action} on resource: "
        f'"{question.resource}" with an explicit deny in {where}'
    )
    return StoreError("AccessDenied", message, 403)
