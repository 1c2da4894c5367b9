"""InterruptTrainingJob: what happens to managed spot instances on AWS, when one wants to see it."""

from typing import Any

from clary.control.call import Call
from clary.records.record import KINDS
from clary.services.operating import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.jobs.interruptions import interrupt, is_spot
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.training.api import TRAINING_JOBS
from clary.services.sagemaker.training.kind import COURSE, INTERRUPTED


@operation("InterruptTrainingJob")
def interrupt_training_job(call: Call, request: dict[str, Any]) -> None:
    record = find(call, TRAINING_JOBS, request["TrainingJobName"])
    if not is_spot(record.document):
        raise invalid(f"The training job {record.name} does not use managed spot training: nothing interrupts it.")
    if INTERRUPTED not in KINDS[record.kind].transitions.get(record.state, ()):
        raise invalid(
            f"The training job {record.name} is {record.state.secondary}: only one that is Downloading or Training "
            "has instances to lose."
        )
    interrupt(call.house, COURSE, record)
