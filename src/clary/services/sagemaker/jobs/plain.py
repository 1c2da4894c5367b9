"""The states of a job that tells no more of itself than whether it runs: processing, tuning, and others to come."""

from clary.records.record import Kind, State
from clary.services.sagemaker.jobs.course import Course

IN_PROGRESS = State("InProgress")
STOPPING = State("Stopping")
COMPLETED = State("Completed")
FAILED = State("Failed")
STOPPED = State("Stopped")


def plain_kind(name: str) -> Kind:
    return Kind(
        name=name,
        transitions={
            IN_PROGRESS: frozenset({STOPPING, COMPLETED, FAILED, STOPPED}),
            STOPPING: frozenset({STOPPED, FAILED}),
        },
        live=frozenset({"InProgress", "Stopping"}),
    )


def plain_course(noun: str, pulling: str = "") -> Course:
    """`noun` is what users read: "processing job"; `pulling` is as `Course.pulling`, of one that has instances."""
    return Course(
        progress={},
        stopping=STOPPING,
        ended={"Completed": COMPLETED, "Failed": FAILED, "Stopped": STOPPED, "MaxRuntimeExceeded": STOPPED},
        messages={
            IN_PROGRESS: f"Starting the {noun}",
            STOPPING: f"Stopping the {noun}",
            COMPLETED: f"{noun.capitalize()} completed",
            FAILED: f"{noun.capitalize()} failed",
            STOPPED: f"{noun.capitalize()} stopped",
        },
        pulling=pulling,
    )
