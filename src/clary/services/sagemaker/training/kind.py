"""The training job's states and the roads between them."""

from clary.records.record import Kind, State
from clary.services.sagemaker.jobs.course import Course

STARTING = State("InProgress", "Starting")
PENDING = State("InProgress", "Pending")
DOWNLOADING = State("InProgress", "Downloading")
TRAINING = State("InProgress", "Training")
UPLOADING = State("InProgress", "Uploading")
RESTARTING = State("InProgress", "Restarting")
INTERRUPTED = State("InProgress", "Interrupted")
STOPPING = State("Stopping", "Stopping")
COMPLETED = State("Completed", "Completed")
FAILED = State("Failed", "Failed")
STOPPED = State("Stopped", "Stopped")
MAX_RUNTIME_EXCEEDED = State("Stopped", "MaxRuntimeExceeded")
MAX_WAIT_TIME_EXCEEDED = State("Stopped", "MaxWaitTimeExceeded")

MESSAGES = {
    STARTING: "Starting the training job",
    PENDING: "The training job is waiting for compute capacity",
    DOWNLOADING: "Downloading input data",
    TRAINING: "Training image download completed. Training in progress.",
    UPLOADING: "Uploading generated training model",
    RESTARTING: "Restarting the training job.",
    INTERRUPTED: "Training job was interrupted: its managed spot instances were taken away",
    STOPPING: "Stopping the training job",
    COMPLETED: "Training job completed",
    FAILED: "Training job failed",
    STOPPED: "Training job stopped",
    MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
    MAX_WAIT_TIME_EXCEEDED: "Training job exceeded MaxWaitTimeInSeconds provided",
}

TRAINING_JOB = Kind(
    name="training-job",
    transitions={
        STARTING: frozenset({PENDING, DOWNLOADING, TRAINING, RESTARTING, STOPPING, FAILED}),
        PENDING: frozenset({STARTING, STOPPING, FAILED}),
        DOWNLOADING: frozenset({TRAINING, RESTARTING, INTERRUPTED, STOPPING, FAILED}),
        TRAINING: frozenset({UPLOADING, RESTARTING, INTERRUPTED, STOPPING, FAILED, MAX_RUNTIME_EXCEEDED}),
        UPLOADING: frozenset({COMPLETED, RESTARTING, STOPPING, FAILED, MAX_RUNTIME_EXCEEDED}),
        RESTARTING: frozenset({PENDING, DOWNLOADING, TRAINING, RESTARTING, STOPPING, FAILED}),
        INTERRUPTED: frozenset({STARTING, STOPPING, COMPLETED, FAILED, MAX_RUNTIME_EXCEEDED}),
        STOPPING: frozenset({STOPPED, COMPLETED, FAILED, MAX_RUNTIME_EXCEEDED, MAX_WAIT_TIME_EXCEEDED}),
    },
    live=frozenset({"InProgress", "Stopping"}),
)

COURSE = Course(
    progress={"Downloading": DOWNLOADING, "Running": TRAINING, "Uploading": UPLOADING},
    stopping=STOPPING,
    ended={
        "Completed": COMPLETED,
        "Failed": FAILED,
        "Stopped": STOPPED,
        "MaxRuntimeExceeded": MAX_RUNTIME_EXCEEDED,
    },
    messages=MESSAGES,
    pending=(PENDING, STARTING),
    restarting=RESTARTING,
    interrupted=INTERRUPTED,
    overdue=MAX_WAIT_TIME_EXCEEDED,
)
