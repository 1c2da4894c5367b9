"""What a bucket tells of its objects, and to whom: checked and kept.

Source: "Amazon S3 Event Notifications" in the Amazon S3 User Guide. A destination is asked for when a configuration
is put, as S3 does it, and gets a first message: so one that names a function is refused while nobody serves functions,
unless the request skips that (`SkipDestinationValidation`).
"""

import time
import uuid
from itertools import combinations
from typing import Any

import orjson
from sqlalchemy import Connection

from clary.arns import global_arn, read_arn
from clary.control.call import Call
from clary.objects import buckets
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.services.s3.announcing import SUBJECT
from clary.services.s3.buckets import find_bucket
from clary.services.s3.enums import values_of
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket
from clary.services.s3.targets import DOCUMENT, EVENT_BRIDGE, TARGETS, Target, covers, invalid, targets_of


@s3_operation("GetBucketNotificationConfiguration")
def get_configuration(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = find_bucket(store, request)
    return store.documents.of(bucket.name, DOCUMENT) or {}


@s3_operation("PutBucketNotificationConfiguration")
def put_configuration(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> None:
    bucket = find_bucket(store, request)
    configuration = _with_ids(request["NotificationConfiguration"])
    targets = targets_of(configuration)
    _check(targets, bucket)
    validated = not request.get("SkipDestinationValidation")
    if validated:
        _check_destinations(call, targets, bucket)

    def change(connection: Connection) -> None:
        name = named_bucket(connection, request).name
        buckets.put_document(connection, name, DOCUMENT, configuration)
        for target in targets if validated else ():
            call.house.destinations[target.service].deliver(target.arn, _greeting(call, name), SUBJECT)

    store.change_bucket(bucket.name, change)


def _greeting(call: Call, bucket: str) -> str:
    """What S3 sends to a destination that it shall tell from now on."""
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    told = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": at, "Bucket": bucket}
    return orjson.dumps({**told, "RequestId": call.request_id, "HostId": call.request_id}).decode()


def _with_ids(configuration: dict[str, Any]) -> dict[str, Any]:
    return {
        member: [{"Id": str(uuid.uuid4()), **entry} for entry in value] if member in TARGETS else value
        for member, value in configuration.items()
        if value or member == EVENT_BRIDGE
    }


def _check(targets: list[Target], bucket: Bucket) -> None:
    for target in targets:
        arn = read_arn(target.arn)
        if arn is None or arn.service != target.service or not target.events:
            raise invalid("The ARN is not well formed", target.service, target.arn)
        if arn.region != bucket.region:
            raise invalid(
                "The notification destination service region is not valid for the bucket location constraint",
                target.service,
                target.arn,
            )
        if unknown := set(target.events) - values_of("Event"):
            message = f"The event '{min(unknown)}' is not supported for notifications"
            raise invalid(message, "Event", min(unknown))
        if target.service == "sqs" and arn.resource.endswith(".fifo"):
            raise invalid("FIFO SQS queues are not supported.", target.service, target.arn)
    if len({target.id for target in targets}) < len(targets):
        raise invalid("Same ID used for multiple configurations. IDs must be unique", "Id", "")
    if any(_overlap(one, other) for one, other in combinations(targets, 2)):
        message = (
            "Configurations overlap. Configurations on the same bucket cannot share a common event type for the "
            "same prefixes and suffixes."
        )
        raise invalid(message, "NotificationConfiguration", "")


def _check_destinations(call: Call, targets: list[Target], bucket: Bucket) -> None:
    source = global_arn("s3", bucket.region, "", bucket.name)
    for target in targets:
        destination = call.house.destinations.get(target.service)
        if destination is None or not destination.accepts(target.arn, source):
            message = "Unable to validate the following destination configurations"
            why = "" if destination else f": this Clary serves no {target.service}"
            raise invalid(message + why, target.arn, "null")


def _overlap(one: Target, other: Target) -> bool:
    events = any(covers(a, b) or covers(b, a) for a in one.events for b in other.events)
    prefixes = one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix)
    suffixes = one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
    return events and prefixes and suffixes
