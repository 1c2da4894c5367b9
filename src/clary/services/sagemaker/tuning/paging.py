"""Pages of the training jobs of one tuning job, of which there are hundreds at most."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any

from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.tuning.trials import Trial

PAGE_SIZE = 10

KEYS: dict[str, Callable[[Trial], Any]] = {
    "Name": lambda trial: trial.record.name,
    "CreationTime": lambda trial: trial.record.created,
    "Status": lambda trial: trial.record.state.status,
    # Those without a value come last in ascending order.
    "FinalObjectiveMetricValue": lambda trial: (trial.objective is None, trial.objective or 0.0),
}


def page_of(trials: Sequence[Trial], request: dict[str, Any]) -> tuple[list[Trial], str]:
    """The page that a List request asks for, and the token of the one after it. A token names the last job seen."""
    key = KEYS[request.get("SortBy", "Name")]
    descending = request.get("SortOrder", "Ascending") == "Descending"
    listed = sorted(trials, key=lambda trial: (key(trial), trial.number), reverse=descending)
    status = request.get("StatusEquals")
    listed = [trial for trial in listed if status in (None, trial.record.state.status)]
    first = _after(listed, request["NextToken"]) if "NextToken" in request else 0
    end = first + request.get("MaxResults", PAGE_SIZE)
    page = listed[first:end]
    token = base64.urlsafe_b64encode(page[-1].record.name.encode()).decode() if end < len(listed) else ""
    return page, token


def _after(listed: Sequence[Trial], token: str) -> int:
    try:
        name = base64.urlsafe_b64decode(token).decode()
        return [trial.record.name for trial in listed].index(name) + 1
    except (ValueError, binascii.Error):
        raise invalid("The NextToken is not valid for this request.") from None
