"""The tuning job's states and the roads between them."""

from clary.records.record import Kind, State
from clary.services.sagemaker.jobs.course import Course

IN_PROGRESS = State("InProgress")
STOPPING = State("Stopping")
COMPLETED = State("Completed")
FAILED = State("Failed")
STOPPED = State("Stopped")

MESSAGES = {
    IN_PROGRESS: "Starting the tuning job",
    STOPPING: "Stopping the tuning job",
    COMPLETED: "Tuning job completed",
    FAILED: "Tuning job failed",
    STOPPED: "Tuning job stopped",
}

TUNING_JOB = Kind(
    name="hyper-parameter-tuning-job",
    transitions={
        IN_PROGRESS: frozenset({STOPPING, COMPLETED, FAILED}),
        STOPPING: frozenset({STOPPED, FAILED}),
    },
    live=frozenset({"InProgress", "Stopping"}),
)

COURSE = Course(
    progress={},
    stopping=STOPPING,
    ended={"Completed": COMPLETED, "Failed": FAILED, "Stopped": STOPPED, "MaxRuntimeExceeded": STOPPED},
    messages=MESSAGES,
)
