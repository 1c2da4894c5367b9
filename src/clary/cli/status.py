"""`clary status`: whether the platform is up, and what it is doing."""

from __future__ import annotations

import json as json_format
import time
from typing import TYPE_CHECKING, Any

import typer

from clary.cli.options import JsonOption, StateOption, command_line, load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from clary.cli.api import Api
    from clary.cli.platforms import Platform
    from clary.settings import Settings

LATEST = 10
COUNT_LIMIT = 100


def status(state: StateOption = None, json: JsonOption = False) -> None:
    """Show the platform, its latest training jobs and its endpoints. Exit code 1: it is not up."""
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
    latest = {"SortBy": "CreationTime", "SortOrder": "Descending", "MaxResults": LATEST}
    return {
        "up": True,
        "state": str(settings.state),
        "url": platform.url,
        "pid": platform.pid,
        "version": platform.version,
        "uptime_seconds": round(time.time() - platform.started, 1),
        "region": settings.region,
        "capacity": _capacity(settings),
        "training_jobs": {
            "in_progress": _count(api, "ListTrainingJobs", "TrainingJobSummaries", "InProgress"),
            "failed": _count(api, "ListTrainingJobs", "TrainingJobSummaries", "Failed"),
            "completed": _count(api, "ListTrainingJobs", "TrainingJobSummaries", "Completed"),
            "latest": api.call("sagemaker", "ListTrainingJobs", **latest)["TrainingJobSummaries"],
        },
        "endpoints": {
            "in_service": _count(api, "ListEndpoints", "Endpoints", "InService"),
            "failed": _count(api, "ListEndpoints", "Endpoints", "Failed"),
            "latest": api.call("sagemaker", "ListEndpoints", **latest)["Endpoints"],
        },
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


def _count(api: Api, operation: str, key: str, wanted: str) -> int:
    """How many have the status `wanted`; COUNT_LIMIT stands for that many or more."""
    return len(api.call("sagemaker", operation, StatusEquals=wanted, MaxResults=COUNT_LIMIT)[key])


def show(report: dict[str, Any]) -> None:
    from clary.cli.console import duration, out

    out.print(
        f"[bold green]Clary {report['version']} is up[/] at [bold]{report['url']}[/] "
        f"for {duration(report['uptime_seconds'])}."
    )
    out.print(f"  State {report['state']}, process {report['pid']}, region {report['region']}", markup=False)
    if report["capacity"]:
        _show_capacity(report["capacity"])
    _show_section("Training jobs", report["training_jobs"], _jobs_table)
    _show_section("Endpoints", report["endpoints"], _endpoints_table)


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


def _show_section(title: str, section: dict[str, Any], table: Callable[[list[dict[str, Any]]], Table]) -> None:
    from clary.cli.console import out

    counts = ", ".join(
        f"{count}{'+' if count >= COUNT_LIMIT else ''} {status.replace('_', ' ')}"
        for status, count in section.items()
        if status != "latest" and count
    )
    out.print(f"\n[bold]{title}:[/] {counts if section['latest'] else 'none'}")
    if section["latest"]:
        out.print(table(section["latest"]))


def _jobs_table(jobs: list[dict[str, Any]]) -> Table:
    from clary.cli.console import clock, duration, status_text

    table = _table("Took")
    for job in jobs:
        created, ended = job["CreationTime"], job.get("TrainingEndTime")
        took = duration(ended - created) if ended else ""
        table.add_row(job["TrainingJobName"], status_text(job["TrainingJobStatus"]), clock(created), took)
    return table


def _endpoints_table(endpoints: list[dict[str, Any]]) -> Table:
    from clary.cli.console import clock, status_text

    table = _table("Changed")
    for endpoint in endpoints:
        created, changed = clock(endpoint["CreationTime"]), clock(endpoint["LastModifiedTime"])
        table.add_row(endpoint["EndpointName"], status_text(endpoint["EndpointStatus"]), created, changed)
    return table


def _table(last_column: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Name", overflow="fold")  # a name is there to be copied
    for column in ("Status", "Created", last_column):
        table.add_column(column, no_wrap=True)
    return table
