"""`clary logs`: what a training job or an endpoint prints, read through the logs API as any client would.

    log group ──► its streams (one an instance, more may appear) ──► events of each, from its forward token on

Following ends when the training job has ended and a read after that was empty; an endpoint is followed until
Ctrl-C.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clary.cli.errors import CommandError
from clary.cli.options import StateOption, load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from clary.cli.api import Api

FOLLOW_SECONDS = 0.5
NOT_FOUND = frozenset({"ResourceNotFound", "ValidationException"})
"""The first is what the API model says of a name that nothing has, the second is what AWS answers."""
TERMINAL = frozenset({"Completed", "Failed", "Stopped"})


def logs(
    name: Annotated[str, typer.Argument(help="A training job or an endpoint.")],
    state: StateOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job has ended.")] = False,
    endpoint: Annotated[
        bool, typer.Option("--endpoint", help="The endpoint of that name, where a training job has it too.")
    ] = False,
) -> None:
    """Print the logs of a training job or an endpoint. With -f, exit code 1 tells that the job failed."""
    from clary.cli.api import Api
    from clary.cli.environment import client_environment
    from clary.cli.launch import require_platform

    settings = load_settings(state=state)
    api = Api(client_environment(settings, require_platform(settings).url))
    job = None if endpoint else _describe(api, "TrainingJob", name)
    if job is None and _describe(api, "Endpoint", name) is None:
        kinds = "endpoint" if endpoint else "training job or endpoint"
        raise CommandError(f"There is no {kinds} named {name} in {settings.region}.")
    reader = (
        LogReader(api, "/aws/sagemaker/TrainingJobs", f"{name}/")
        if job
        else LogReader(api, f"/aws/sagemaker/Endpoints/{name}", "")
    )
    if not follow:
        reader.print_new()
    elif job:
        _follow_job(api, reader, name)
    else:
        _follow_endpoint(reader)


class LogReader:
    """The events of all log streams of one group whose names begin with `prefix`, each once."""

    def __init__(self, api: Api, group: str, prefix: str) -> None:
        self._api = api
        self._group = group
        self._prefix = prefix
        self._tokens: dict[str, str] = {}
        """Forward token of every stream seen."""

    def print_new(self) -> int:
        """Print what came since the last call, by time; returns the number of events."""
        events = [(stream, event) for stream in self._streams() for event in self._read(stream)]
        events.sort(key=lambda pair: pair[1]["timestamp"])
        for stream, event in events:
            source = f"{stream.removeprefix(self._prefix)}  " if len(self._tokens) > 1 else ""
            print(f"{source}{event['message']}", flush=True)
        return len(events)

    def _streams(self) -> list[str]:
        from clary.cli.api import ApiError

        prefix = {"logStreamNamePrefix": self._prefix} if self._prefix else {}
        try:
            streams = self._api.pages(
                "logs", "DescribeLogStreams", "logStreams", "nextToken", logGroupName=self._group, **prefix
            )
            return [stream["logStreamName"] for stream in streams]
        except ApiError as error:
            if error.kind == "ResourceNotFoundException":  # the group comes with the first line
                return []
            raise

    def _read(self, stream: str) -> Iterator[dict[str, Any]]:
        while True:
            token = {"nextToken": self._tokens[stream]} if stream in self._tokens else {}
            page = self._api.call(
                "logs",
                "GetLogEvents",
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **token,
            )
            self._tokens[stream] = page["nextForwardToken"]
            if not page["events"]:
                return
            yield from page["events"]


def _follow_job(api: Api, reader: LogReader, name: str) -> None:
    from clary.cli.console import err

    stage = ""
    while True:
        job = api.call("sagemaker", "DescribeTrainingJob", TrainingJobName=name)
        printed = reader.print_new()
        if job["SecondaryStatus"] != stage:
            stage = job["SecondaryStatus"]
            err.print(f"{name}: {stage}", style="dim", markup=False)
        if job["TrainingJobStatus"] in TERMINAL and not printed:
            break
        if job["TrainingJobStatus"] not in TERMINAL:
            time.sleep(FOLLOW_SECONDS)
    if job["TrainingJobStatus"] == "Failed":
        raise CommandError(f"Training job {name} failed.", job.get("FailureReason", ""))


def _follow_endpoint(reader: LogReader) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            reader.print_new()
            time.sleep(FOLLOW_SECONDS)


def _describe(api: Api, kind: str, name: str) -> dict[str, Any] | None:
    """The resource, or None if there is none of that name."""
    from clary.cli.api import ApiError

    try:
        return api.call("sagemaker", f"Describe{kind}", **{f"{kind}Name": name})
    except ApiError as error:
        if error.kind in NOT_FOUND:
            return None
        raise
