"""What is a policy of a bucket, and whether it is public.

Source: "Policies and permissions in Amazon S3" in the Amazon S3 User Guide.
"""

from functools import cache, partial
from typing import Any

from clary.arns import global_arn
from clary.control.call import Call
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.policies.document import MalformedPolicy, Statement, read
from clary.policies.patterns import matches
from clary.policies.public import is_public
from clary.services.s3.actions import ACTIONS, OF_A_VERSION
from clary.services.s3.authorization import POLICY, policy_of
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket
from clary.services.s3.ownership import blocks
from clary.wire.models import service_model

LARGEST = 20 * 1024
_UNSERVED = tuple(
    f"s3:{name.lower()}"
    for name in (
        "BypassGovernanceRetention",
        "GetAnalyticsConfiguration",
        "GetDataAccess",
        "GetIntelligentTieringConfiguration",
        "GetInventoryConfiguration",
        "GetMetricsConfiguration",
        "GetObjectVersionForReplication",
        "GetObjectVersionTorrent",
        "InitiateReplication",
        "ListTagsForResource",
        "ObjectOwnerOverrideToBucketOwner",
        "PauseReplication",
        "PutAnalyticsConfiguration",
        "PutIntelligentTieringConfiguration",
        "PutInventoryConfiguration",
        "PutMetricsConfiguration",
        "ReplicateDelete",
        "ReplicateObject",
        "ReplicateTags",
        "TagResource",
        "UntagResource",
    )
)
"""Actions on a bucket or an object that are the name of no operation of the model, nor stand in `ACTIONS`."""


@s3_operation("GetBucketPolicyStatus")
def get_bucket_policy_status(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = store.view(partial(named_bucket, request=request))
    if store.documents.of(bucket.name, POLICY) is None:
        raise StoreError("NoSuchBucketPolicy", "The bucket policy does not exist", 404, BucketName=bucket.name)
    policy = policy_of(store, bucket.name)
    return {"PolicyStatus": {"IsPublic": policy is not None and is_public(policy)}}


def checked_policy(store: EmbeddedStore, bucket: str, text: str) -> str:
    try:
        if len(text.encode()) > LARGEST:
            raise MalformedPolicy("Policy exceeds the maximum allowed document size.")
        policy = read(text)
        region = store.view(lambda connection: buckets.find(connection, bucket)).region
        arn = global_arn("s3", region, "", bucket)
        for statement in policy.statements:
            _check(statement, arn)
    except MalformedPolicy as error:
        raise StoreError("MalformedPolicy", str(error)) from error
    if is_public(policy) and blocks(store, bucket, "BlockPublicPolicy"):
        raise StoreError("AccessDenied", "Access Denied", 403)
    return text


def _check(statement: Statement, arn: str) -> None:
    """`arn` is the bucket's."""
    actions, resources = statement.actions, statement.resources
    if not all(_is_known(action.lower()) for action in actions.values):
        raise MalformedPolicy("Policy has invalid action")
    if not all(matches(resource.partition("/")[0], arn) for resource in resources.values):
        raise MalformedPolicy("Policy has invalid resource")
    if actions.negated or resources.negated:
        return
    for action in actions.values:
        about_objects = _about_objects().get(action.lower())
        if about_objects is not None and not any(
            _may_be_object(resource) if about_objects else matches(resource, arn) for resource in resources.values
        ):
            raise MalformedPolicy("Action does not apply to any resource(s) in statement")


def _is_known(action: str) -> bool:
    """Whether it is an action of S3 or a pattern of some: a misspelt denial would deny nothing. Lower case."""
    known = _about_objects()
    return action in known or any(matches(action, each) for each in (*known, *_UNSERVED))


def _may_be_object(resource: str) -> bool:
    return "/" in resource or "*" in resource


@cache
def _about_objects() -> dict[str, bool]:
    """Of the actions that operations take, in lower case, which are on objects; the rest are on buckets."""
    model = service_model("s3")
    found = {}
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        members = shape.members if shape else {}
        name = ACTIONS.get(operation, operation)
        for action in (name, OF_A_VERSION.get(name, name)):
            found[f"s3:{action.lower()}"] = "Key" in members
    return found
