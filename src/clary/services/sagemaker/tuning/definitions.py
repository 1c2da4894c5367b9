"""What a tuning job trains: one definition, or several algorithms side by side, each with a space of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clary.services.sagemaker.tuning.space import Parameter, parameters

INFERRED = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""Static hyperparameters that tell Hyperband's MaxResource where the request does not."""
NOT_THE_JOBS = (
    "DefinitionName",
    "TuningObjective",
    "HyperParameterRanges",
    "StaticHyperParameters",
    "HyperParameterTuningResourceConfig",
)
"""Members that say how to tune; all others are those of a training job."""

RESOURCES = ("InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId")


@dataclass(frozen=True, slots=True)
class Definition:
    name: str
    """Empty where there is only one."""
    metric: str
    minimize: bool
    space: Sequence[Parameter]
    asked: dict[str, Any]
    """`HyperParameterTrainingJobDefinition`"""
    hinted: bool = False
    """Whether part of the space is of `AutoParameters`."""

    @property
    def static(self) -> dict[str, str]:
        found: dict[str, str] = self.asked.get("StaticHyperParameters", {})
        return found

    def better(self, one: float, other: float) -> bool:
        return one < other if self.minimize else one > other

    def request(self, values: dict[str, str]) -> dict[str, Any]:
        """CreateTrainingJob's members, but for the name, of a trial with these values."""
        job = {member: value for member, value in self.asked.items() if member not in NOT_THE_JOBS}
        hyperparameters = {**self.static, **values, "_tuning_objective_metric": self.metric}
        return {**job, **self._resources(), "HyperParameters": hyperparameters}

    def _resources(self) -> dict[str, Any]:
        """Of several kinds of instances the first: none is ever short here."""
        tuning = self.asked.get("HyperParameterTuningResourceConfig")
        if not tuning:
            return {}
        chosen = {**tuning, **(tuning.get("InstanceConfigs") or [{}])[0]}
        return {"ResourceConfig": {name: chosen[name] for name in RESOURCES if name in chosen}}


def definitions(document: dict[str, Any]) -> list[Definition]:
    """Raises `ValueError` with the words for the user."""
    config = document["HyperParameterTuningJobConfig"]
    if "TrainingJobDefinition" in document:
        asked = document["TrainingJobDefinition"]
        objective, ranges = config.get("HyperParameterTuningJobObjective"), config.get("ParameterRanges", {})
        return [_definition(asked, asked.get("TuningObjective") or objective, ranges)]
    return [
        _definition(asked, asked.get("TuningObjective"), asked.get("HyperParameterRanges", {}))
        for asked in document.get("TrainingJobDefinitions", [])
    ]


def resource_bounds(config: dict[str, Any], static: dict[str, str]) -> tuple[int, int]:
    """Hyperband's MinResource and MaxResource. Raises `ValueError` with the words for the user."""
    given = config.get("StrategyConfig", {}).get("HyperbandStrategyConfig", {})
    inferred = next((static[name].strip('"') for name in INFERRED if name in static), "")
    highest = given.get("MaxResource") or (int(inferred) if inferred.isdigit() else 0)
    lowest = given.get("MinResource", 1)
    if not highest:
        raise ValueError(
            "Hyperband needs a MaxResource in HyperbandStrategyConfig, or one of the static hyperparameters "
            f"{', '.join(INFERRED)} to infer it from."
        )
    if lowest >= highest:
        raise ValueError(
            f"MinResource ({lowest}) of HyperbandStrategyConfig must be less than MaxResource ({highest})."
        )
    return lowest, highest


def _definition(asked: dict[str, Any], objective: dict[str, str] | None, ranges: dict[str, Any]) -> Definition:
    if objective is None:
        raise ValueError("A tuning job needs an objective: HyperParameterTuningJobObjective, or TuningObjective.")
    space = parameters(ranges)
    fixed = next((each.name for each in space if each.name in asked.get("StaticHyperParameters", {})), None)
    if fixed:
        raise ValueError(f"The hyperparameter {fixed} is both static and tuned.")
    return Definition(
        asked.get("DefinitionName", ""),
        objective["MetricName"],
        objective["Type"] == "Minimize",
        space,
        asked,
        bool(ranges.get("AutoParameters")),
    )
