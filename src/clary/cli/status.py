"""`clary status`: whether the platform is up, and what it is doing."""

from __future__ import annotations

import json as json_format
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from clary.cli.options import JsonOption, StateOption, command_line, load_settings

if TYPE_CHECKING:
    from rich.table import Table

    from clary.cli.api import Api
    from clary.cli.platforms import Platform
    from clary.settings import Settings

LATEST = 10
COUNT_LIMIT = 100


@dataclass(frozen=True)
class Section:
    """One kind of what the platform does: how many there are, and the latest."""

    title: str
    base: str
    """Of its operations and members: `TrainingJob`."""
    listed: str
    """Member of the List operation's answer."""
    statuses: tuple[str, ...]
    """Those that are counted."""
    ended: str = ""
    """Member that says when one ended; empty for what does not end."""
    always: bool = False
    """Shown also where there are none."""

    @property
    def key(self) -> str:
        return self.title.lower().replace(" ", "_")

    def gather(self, api: Api) -> dict[str, Any]:
        """COUNT_LIMIT stands for that many or more."""
        operation = f"List{self.base}s"
        latest = api.call("sagemaker", operation, SortBy="CreationTime", SortOrder="Descending", MaxResults=LATEST)
        counts = {
            _words(status): len(
                api.call("sagemaker", operation, StatusEquals=status, MaxResults=COUNT_LIMIT)[self.listed]
            )
            for status in self.statuses
        }
        return {**counts, "latest": latest[self.listed]}

    def show(self, found: dict[str, Any]) -> None:
        from clary.cli.console import out

        if not found["latest"] and not self.always:
            return
        counts = ", ".join(
            f"{count}{'+' if count >= COUNT_LIMIT else ''} {status.replace('_', ' ')}"
            for status, count in found.items()
            if status != "latest" and count
        )
        out.print(f"\n[bold]{self.title}:[/] {counts if found['latest'] else 'none'}")
        if found["latest"]:
            out.print(self._table(found["latest"]))

    def _table(self, latest: list[dict[str, Any]]) -> Table:
        from clary.cli.console import clock, duration, status_text

        table = _table("Took" if self.ended else "Changed")
        for each in latest:
            created, ended = each["CreationTime"], each.get(self.ended)
            took = duration(ended - created) if ended else ""
            last = took if self.ended else clock(each["LastModifiedTime"])
            table.add_row(each[f"{self.base}Name"], status_text(each[f"{self.base}Status"]), clock(created), last)
        return table


OF_JOBS = ("InProgress", "Failed", "Completed")
SECTIONS = (
    Section("Training jobs", "TrainingJob", "TrainingJobSummaries", OF_JOBS, "TrainingEndTime", always=True),
    Section(
        "Tuning jobs",
        "HyperParameterTuningJob",
        "HyperParameterTuningJobSummaries",
        OF_JOBS,
        "HyperParameterTuningEndTime",
    ),
    Section("Processing jobs", "ProcessingJob", "ProcessingJobSummaries", OF_JOBS, "ProcessingEndTime"),
    Section("Transform jobs", "TransformJob", "TransformJobSummaries", OF_JOBS, "TransformEndTime"),
    Section("Endpoints", "Endpoint", "Endpoints", ("InService", "Failed"), always=True),
)


def status(state: StateOption = None, json: JsonOption = False) -> None:
    """Show the platform, its latest jobs and its endpoints. Exit code 1: it is not up."""
    from clary.cli.platforms import running_platform

    settings = load_settings(state=state)
    platform = running_platform(settings.state)
    report = gather(settings, platform) if platform else {"up": False, "state": str(settings.state)}
    if json:
        print(json_format.dumps(report, indent=2))
    elif platform:
        show(report)
    else:
        from clary.cli.console import out

        out.print(f"Clary is not up on {settings.state}.", markup=False)
        out.print(f"Start it with: {command_line('up --detach', settings)}", style="dim", markup=False)
    if platform is None:
        raise typer.Exit(1)


def gather(settings: Settings, platform: Platform) -> dict[str, Any]:
    """Everything that is shown, as the JSON document of `--json`."""
    from clary.cli.api import Api
    from clary.cli.environment import client_environment

    api = Api(client_environment(settings, platform.url))
    return {
        "up": True,
        "state": str(settings.state),
        "url": platform.url,
        "pid": platform.pid,
        "version": platform.version,
        "uptime_seconds": round(time.time() - platform.started, 1),
        "region": settings.region,
        "capacity": _capacity(settings),
        **{section.key: section.gather(api) for section in SECTIONS},
    }


def _capacity(settings: Settings) -> dict[str, Any]:
    """What `clary.control.capacity` tells; empty where the platform is about to end."""
    import socket

    from clary.engines.sockets import operator_socket

    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(operator_socket(settings.state))
            with client.makefile() as told:
                found: dict[str, Any] = json_format.load(told)
        except (OSError, ValueError):
            return {}
    return found


def show(report: dict[str, Any]) -> None:
    from clary.cli.console import duration, out

    out.print(
        f"[bold green]Clary {report['version']} is up[/] at [bold]{report['url']}[/] "
        f"for {duration(report['uptime_seconds'])}."
    )
    out.print(f"  State {report['state']}, process {report['pid']}, region {report['region']}", markup=False)
    if report["capacity"]:
        _show_capacity(report["capacity"])
    for section in SECTIONS:
        section.show(report[section.key])


def _show_capacity(capacity: dict[str, Any]) -> None:
    from clary.cli.console import clock, out

    if capacity["away"]:
        out.print(f"  {capacity['away']}", markup=False)
    for place in capacity["places"]:
        total, taken = place["total"], place["taken"]
        parts = [
            f"{taken['vcpus']:g} of {total['vcpus']:g} vCPUs",
            f"{taken['memory'] / 2**30:.4g} of {total['memory'] / 2**30:.4g} GiB",
        ]
        if total["gpus"] or taken["gpus"]:
            parts.append(f"{taken['gpus']:g} of {total['gpus']:g} GPUs")
        out.print(f"  {place['name']}: {', '.join(parts)} taken", markup=False)
    if capacity["waiting"]:
        out.print(f"\n[bold]Waiting for room:[/] {capacity['waiting']}")
        for number, waits in enumerate(capacity["first"], 1):
            out.print(f"  {number}. {waits['kind']} {waits['name']}, since {clock(waits['since'])}", markup=False)


def _words(status: str) -> str:
    """`InProgress` as `in_progress`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", status).lower()


def _table(last_column: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Name", overflow="fold")  # a name is there to be copied
    for column in ("Status", "Created", last_column):
        table.add_column(column, no_wrap=True)
    return table
