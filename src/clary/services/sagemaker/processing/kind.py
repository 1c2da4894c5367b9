"""The processing job's states and the roads between them."""

from clary.records.record import Kind, State
from clary.services.sagemaker.jobs.course import Course

IN_PROGRESS = State("InProgress")
STOPPING = State("Stopping")
COMPLETED = State("Completed")
FAILED = State("Failed")
STOPPED = State("Stopped")

MESSAGES = {
    IN_PROGRESS: "Starting the processing job",
    STOPPING: "Stopping the processing job",
    COMPLETED: "Processing job completed",
    FAILED: "Processing job failed",
    STOPPED: "Processing job stopped",
}

PROCESSING_JOB = Kind(
    name="processing-job",
    transitions={
        IN_PROGRESS: frozenset({STOPPING, COMPLETED, FAILED, STOPPED}),
        STOPPING: frozenset({STOPPED, FAILED}),
    },
    live=frozenset({"InProgress", "Stopping"}),
)

COURSE = Course(
    progress={},
    stopping=STOPPING,
    ended={"Completed": COMPLETED, "Failed": FAILED, "Stopped": STOPPED, "MaxRuntimeExceeded": STOPPED},
    messages=MESSAGES,
    pulling="Downloading the processing image",
)
