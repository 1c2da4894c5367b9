"""UpdateTrainingJob: how long its warm pool is kept, and what the profiler is told."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.training.api import TRAINING_JOBS
from clary.services.sagemaker.training.kind import TRAINING_JOB
from clary.services.sagemaker.training.warm_pools import set_keep_alive

PROFILER = "ProfilerConfig"


@operation("UpdateTrainingJob")
def update_training_job(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse_members(request, ("ProfilerRuleConfigurations",))
    if request.get("RemoteDebugConfig", {}).get("EnableRemoteDebug"):
        raise not_built("RemoteDebugConfig")
    record = find(call, TRAINING_JOBS, request["TrainingJobName"])
    if PROFILER in request:
        record = _profile(call, record, request[PROFILER])
    if "ResourceConfig" in request:
        record = set_keep_alive(call.house, record, request["ResourceConfig"]["KeepAlivePeriodInSeconds"])
    return {"TrainingJobArn": record.arn}


def _profile(call: Call, record: Record, changes: dict[str, Any]) -> Record:
    """Kept and described; nothing is profiled here."""
    if record.state.status not in TRAINING_JOB.live:
        raise invalid(f"The profiler of the training job {record.name} cannot be changed: it has ended.")
    profiler = {**record.document.get(PROFILER, {}), **changes}
    return call.house.records.update(record, {**record.document, PROFILER: profiler})
