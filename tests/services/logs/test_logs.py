"""CloudWatch Logs through boto3, as the SDKs' log readers and `aws logs tail` use it."""

import itertools
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def logs(platform: Platform) -> Any:
    return platform.client("logs")


@pytest.fixture
def group(logs: Any) -> Iterator[str]:
    name = f"/test/group-{next(NUMBERS)}"
    logs.create_log_group(logGroupName=name)
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def now() -> int:
    return round(time.time() * 1000)


def _put(logs: Any, group: str, stream: str, *events: tuple[int, str]) -> Any:
    with suppress(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
    batch = [{"timestamp": at, "message": text} for at, text in events]
    return logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=batch)


def _texts(answer: Any) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_events_come_back_with_their_times(logs: Any, group: str, now: int) -> None:
    _put(logs, group, "s", (now - 1, "eins ✓"), (now, "zwei"))
    answer = logs.get_log_events(logGroupName=group, logStreamName="s", startFromHead=True)
    assert [(event["timestamp"], event["message"]) for event in answer["events"]] == [
        (now - 1, "eins ✓"),
        (now, "zwei"),
    ]
    assert all(event["ingestionTime"] >= now for event in answer["events"])


def test_a_tail_sees_each_event_once_and_then_empty_pages(logs: Any, group: str, now: int) -> None:
    """How the SDKs follow a job: the forward token is always there, and an empty page ends the read."""
    where = {"logGroupName": group, "logStreamName": "s", "startFromHead": True}
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    answer = logs.get_log_events(**where)
    assert (answer["events"], bool(answer["nextForwardToken"])) == ([], True)
    _put(logs, group, "s", (now, "one"), (now, "two"))
    answer = logs.get_log_events(**where, nextToken=answer["nextForwardToken"])
    assert _texts(answer) == ["one", "two"]
    end = logs.get_log_events(**where, nextToken=answer["nextForwardToken"])
    assert (end["events"], end["nextForwardToken"]) == ([], answer["nextForwardToken"])
    _put(logs, group, "s", (now, "three"))
    assert _texts(logs.get_log_events(**where, nextToken=end["nextForwardToken"])) == ["three"]
    assert _texts(logs.get_log_events(**where, nextToken=end["nextBackwardToken"])) == ["one", "two"]


def test_reading_backwards_begins_with_the_latest(logs: Any, group: str, now: int) -> None:
    _put(logs, group, "s", *[(now + number, str(number)) for number in range(5)])
    where = {"logGroupName": group, "logStreamName": "s", "limit": 2}
    latest = logs.get_log_events(**where)
    assert _texts(latest) == ["3", "4"]
    before = logs.get_log_events(**where, nextToken=latest["nextBackwardToken"])
    assert _texts(before) == ["1", "2"]
    first = logs.get_log_events(**where, nextToken=before["nextBackwardToken"])
    assert _texts(first) == ["0"]
    none = logs.get_log_events(**where, nextToken=first["nextBackwardToken"])
    assert (none["events"], none["nextBackwardToken"]) == ([], first["nextBackwardToken"])
    assert _texts(logs.get_log_events(**where, nextToken=none["nextForwardToken"])) == ["0", "1"]


def test_an_empty_stream_can_be_read_from_either_end(logs: Any, group: str) -> None:
    logs.create_log_stream(logGroupName=group, logStreamName="s")
    where = {"logGroupName": group, "logStreamName": "s"}
    answer = logs.get_log_events(**where)
    for token in ("nextForwardToken", "nextBackwardToken"):
        assert logs.get_log_events(**where, nextToken=answer[token])["events"] == []


def test_a_range_ends_before_its_end_in_a_stream_and_with_it_in_a_search(logs: Any, group: str, now: int) -> None:
    _put(logs, group, "s", *[(now + number, str(number)) for number in range(4)])
    span = {"startTime": now + 1, "endTime": now + 2}
    assert _texts(logs.get_log_events(logGroupName=group, logStreamName="s", **span)) == ["1"]
    assert _texts(logs.filter_log_events(logGroupName=group, **span)) == ["1", "2"]
    for_ever = {"startTime": now + 3, "endTime": 2**63 - 1}
    assert _texts(logs.filter_log_events(logGroupName=group, **for_ever)) == ["3"]
    assert _texts(logs.get_log_events(logGroupName=group, logStreamName="s", **for_ever)) == ["3"]


def test_streams_within_the_limit_come_without_a_token(logs: Any, group: str, now: int) -> None:
    """Both SDKs ask for as many streams as there are instances, and stop at a token."""
    for number, name in enumerate(["job-1/algo-1", "job-1/algo-2", "job-2/algo-1"]):
        _put(logs, group, name, (now - number, "x"))
    answer = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="job-1/", limit=2)
    assert [stream["logStreamName"] for stream in answer["logStreams"]] == ["job-1/algo-1", "job-1/algo-2"]
    assert "nextToken" not in answer
    assert answer["logStreams"][0]["firstEventTimestamp"] == now
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=group, orderBy="LastEventTime", descending=True, PaginationConfig={"PageSize": 2}
    )
    listed = [[stream["logStreamName"] for stream in page["logStreams"]] for page in pages]
    assert listed == [["job-1/algo-1", "job-1/algo-2"], ["job-2/algo-1"]]


def test_groups_are_listed_by_prefix_and_pattern(logs: Any, group: str) -> None:
    answer = logs.describe_log_groups(logGroupNamePrefix=group)
    assert [found["logGroupName"] for found in answer["logGroups"]] == [group]
    assert answer["logGroups"][0]["arn"] == f"arn:aws:logs:us-east-1:123456789012:log-group:{group}:*"
    pages = logs.get_paginator("describe_log_groups").paginate(
        logGroupNamePattern="test/group", PaginationConfig={"PageSize": 1}
    )
    assert group in [found["logGroupName"] for page in pages for found in page["logGroups"]]
    with pytest.raises(ClientError, match="mutually exclusive"):
        logs.describe_log_groups(logGroupNamePrefix="a", logGroupNamePattern="b")


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", ["ERROR disk full", "ERROR retry", "WARN disk", "ERRORS none"]),
        ("ERROR", ["ERROR disk full", "ERROR retry"]),
        ("ERROR disk", ["ERROR disk full"]),
        ("?WARN ?full", ["ERROR disk full", "WARN disk"]),
        ("ERROR -retry", ["ERROR disk full"]),
        ('"disk full"', ["ERROR disk full"]),
        ('-"disk full" -WARN', ["ERROR retry", "ERRORS none"]),
        ("error", []),
    ],
)
def test_a_search_finds_what_its_pattern_says(logs: Any, group: str, now: int, pattern: str, found: list[str]) -> None:
    texts = ["ERROR disk full", "ERROR retry", "WARN disk", "ERRORS none"]
    for number, text in enumerate(texts):
        _put(logs, group, f"s{number % 2}", (now + number, text))
    answer = logs.filter_log_events(logGroupName=group, filterPattern=pattern)
    assert _texts(answer) == found
    assert "nextToken" not in answer


def test_a_search_goes_through_pages_in_either_direction(logs: Any, group: str, now: int) -> None:
    for number in range(7):
        _put(logs, group, f"s{number % 3}", (now + number, f"line {number}"))
    paginator = logs.get_paginator("filter_log_events")
    config = {"PageSize": 3}
    pages = list(paginator.paginate(logGroupName=group, filterPattern="-6", PaginationConfig=config))
    assert [text for page in pages for text in _texts(page)] == [f"line {number}" for number in range(6)]
    ids = [event["eventId"] for page in pages for event in page["events"]]
    assert len(set(ids)) == 6
    backwards = paginator.paginate(logGroupName=group, startFromHead=False, PaginationConfig=config)
    texts = [text for page in backwards for text in _texts(page)]
    assert texts == [f"line {number}" for number in reversed(range(7))]
    only = logs.filter_log_events(logGroupName=group, logStreamNames=["s0"])
    assert _texts(only) == ["line 0", "line 3", "line 6"]
    assert {event["logStreamName"] for event in only["events"]} == {"s0"}


@pytest.mark.parametrize("pattern", ['x"y', "a:b", '"open', "{ $.a", "[a", "%(a)%"])
def test_a_pattern_that_is_not_understood_is_refused(logs: Any, group: str, pattern: str) -> None:
    with pytest.raises(logs.exceptions.InvalidParameterException, match="filter pattern"):
        logs.filter_log_events(logGroupName=group, filterPattern=pattern)


@pytest.mark.parametrize("token", ["x", "f/x", "f/", "b/WzEsMl0", "f/WzEwMDAwMDAwMDAwMDAwMDAwMDAwLDFd", "f/W10="])
def test_a_token_that_is_none_is_refused(logs: Any, group: str, now: int, token: str) -> None:
    _put(logs, group, "s", (now, "x"))
    with pytest.raises(logs.exceptions.InvalidParameterException, match="nextToken is invalid"):
        logs.get_log_events(logGroupName=group, logStreamName="s", nextToken=token)
    with pytest.raises(logs.exceptions.InvalidParameterException, match="nextToken is invalid"):
        logs.filter_log_events(logGroupName=group, nextToken=token)


def test_what_is_not_there_is_named(logs: Any, group: str, now: int) -> None:
    missing = logs.exceptions.ResourceNotFoundException
    with pytest.raises(missing, match="The specified log group does not exist"):
        logs.filter_log_events(logGroupName="/nowhere")
    with pytest.raises(missing, match="The specified log stream does not exist"):
        logs.get_log_events(logGroupName=group, logStreamName="nothing")
    batch = [{"timestamp": now, "message": "x"}]
    with pytest.raises(missing, match="The specified log stream does not exist"):
        logs.put_log_events(logGroupName=group, logStreamName="nothing", logEvents=batch)
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException, match="log group already exists"):
        logs.create_log_group(logGroupName=group)


def test_events_too_old_or_too_new_are_left_out_and_counted(logs: Any, group: str, now: int) -> None:
    hour = 3600 * 1000
    old = _put(logs, group, "s", (now - 15 * 24 * hour, "old"))
    assert old["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1}
    new = _put(logs, group, "s", (now, "now"), (now + 3 * hour, "new"))
    assert new["rejectedLogEventsInfo"] == {"tooNewLogEventStartIndex": 1}
    logs.put_retention_policy(logGroupName=group, retentionInDays=1)
    expired = _put(logs, group, "s", (now - 30 * hour, "expired"), (now - 20 * hour, "kept"))
    assert expired["rejectedLogEventsInfo"] == {"expiredLogEventEndIndex": 1}
    assert _texts(logs.filter_log_events(logGroupName=group)) == ["kept", "now"]


def test_a_batch_that_breaks_the_rules_is_refused_whole(logs: Any, group: str, now: int) -> None:
    batches = {
        "chronological order": [(now, "b"), (now - 1, "a")],
        "cannot span more than 24 hours": [(now - 25 * 3600 * 1000, "a"), (now, "b")],
        "Upload too large": [(now, "x" * 600_000), (now, "x" * 600_000)],
        "Log event too large": [(now, "x" * 1_048_577)],
    }
    for message, batch in batches.items():
        with pytest.raises(logs.exceptions.InvalidParameterException, match=message):
            _put(logs, group, "s", *batch)
    assert logs.filter_log_events(logGroupName=group)["events"] == []


def test_retention_and_tags_are_kept(logs: Any, group: str) -> None:
    logs.put_retention_policy(logGroupName=group, retentionInDays=7)
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert described["retentionInDays"] == 7
    with pytest.raises(logs.exceptions.InvalidParameterException, match="retention of 8 days"):
        logs.put_retention_policy(logGroupName=group, retentionInDays=8)
    logs.delete_retention_policy(logGroupName=group)
    described = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    assert "retentionInDays" not in described
    arn = described["logGroupArn"]
    logs.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
    logs.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}
    with pytest.raises(logs.exceptions.TooManyTagsException):
        logs.tag_resource(resourceArn=arn, tags={str(number): "" for number in range(50)})


def test_a_group_is_also_known_by_its_arn(logs: Any, group: str, now: int) -> None:
    _put(logs, group, "s", (now, "x"))
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    assert _texts(logs.filter_log_events(logGroupIdentifier=arn)) == ["x"]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="but not both"):
        logs.filter_log_events(logGroupIdentifier=arn, logGroupName=group)


def test_regions_keep_their_own_groups(platform: Platform, group: str) -> None:
    elsewhere = platform.client("logs", region="eu-central-1")
    assert elsewhere.describe_log_groups(logGroupNamePrefix=group)["logGroups"] == []


def test_a_deleted_stream_is_gone_with_its_events(logs: Any, group: str, now: int) -> None:
    _put(logs, group, "s", (now, "x"))
    logs.delete_log_stream(logGroupName=group, logStreamName="s")
    assert logs.describe_log_streams(logGroupName=group)["logStreams"] == []
    assert logs.filter_log_events(logGroupName=group)["events"] == []


def test_a_group_remembers_its_key(logs: Any) -> None:
    name, key = "/test/with-key", "arn:aws:kms:us-east-1:123456789012:key/1"
    logs.create_log_group(logGroupName=name, kmsKeyId=key)
    try:

        def described() -> Any:
            return logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]

        assert described()["kmsKeyId"] == key
        logs.disassociate_kms_key(logGroupName=name)
        assert "kmsKeyId" not in described()
        logs.associate_kms_key(resourceIdentifier=described()["arn"], kmsKeyId=key)
        assert described()["kmsKeyId"] == key
        with pytest.raises(logs.exceptions.InvalidParameterException, match="not both"):
            logs.associate_kms_key(kmsKeyId=key)
        with pytest.raises(logs.exceptions.ResourceNotFoundException):
            logs.associate_kms_key(logGroupName="nowhere", kmsKeyId=key)
    finally:
        logs.delete_log_group(logGroupName=name)


def test_a_sequence_token_is_given_and_taken_from_whoever_still_sends_it(logs: Any, group: str, now: int) -> None:
    token = _put(logs, group, "s", (now, "one"))["nextSequenceToken"]
    assert token.isdigit()
    event = {"timestamp": now, "message": "two"}
    for given in (token, token, "1"):
        logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=[event], sequenceToken=given)
    assert logs.describe_log_streams(logGroupName=group)["logStreams"][0]["uploadSequenceToken"].isdigit()
