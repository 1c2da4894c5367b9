"""Hyperparameter tuning jobs: what may be asked for, and what is told of them."""

from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.errors import NotFound
from clary.records.record import Record, Scope
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.instances.images import is_own
from clary.services.sagemaker.jobs.plain import IN_PROGRESS
from clary.services.sagemaker.jobs.stopping import only_finished, serve_stop
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search
from clary.services.sagemaker.training.api import image_metrics
from clary.services.sagemaker.training.api import prepare as prepare_training
from clary.services.sagemaker.tuning.definitions import Definition, definitions, resource_bounds
from clary.services.sagemaker.tuning.kind import COURSE, TUNING_JOB
from clary.services.sagemaker.tuning.lifecycle import PARENTS
from clary.services.sagemaker.tuning.paging import page_of
from clary.services.sagemaker.tuning.space import combination, size
from clary.services.sagemaker.tuning.trials import Trial, counters, summary, trials_of

OBJECTIVE = "ObjectiveMetric"
"""By which AWS describes the metric that is tuned for once more."""


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if ("TrainingJobDefinition" in request) == ("TrainingJobDefinitions" in request):
        raise invalid("Either TrainingJobDefinition or TrainingJobDefinitions must be given, and not both.")
    autotune = "Autotune" in request
    try:
        defined = definitions(request)
        _check(request["HyperParameterTuningJobConfig"], defined, autotune)
    except ValueError as error:
        raise invalid(str(error)) from None
    names = [each.name for each in defined]
    if len(set(names)) < len(names) or (len(names) > 1 and "" in names):
        raise invalid("Each of TrainingJobDefinitions needs a DefinitionName of its own.")
    for each in defined:
        _check_trainable(call, request, each)
    config = {"TrainingJobEarlyStoppingType": "Off", **request["HyperParameterTuningJobConfig"]}
    document = {**request, "HyperParameterTuningJobConfig": config, **counters([])}
    if "WarmStartConfig" in request:
        document[PARENTS] = _warm_start(call, request["WarmStartConfig"], defined)
    return document


def _check(config: dict[str, Any], defined: list[Definition], autotune: bool) -> None:
    """Raises `ValueError` with the words for the user."""
    strategy, limits = config["Strategy"], config["ResourceLimits"]
    most = limits.get("MaxNumberOfTrainingJobs")
    for each in defined:
        if not each.space:
            raise ValueError("At least one hyperparameter range must be given.")
        if strategy == "Grid":
            _check_grid(each, most)
        if strategy == "Hyperband":
            resource_bounds(config, each.static)
        if each.hinted and not autotune:
            raise ValueError("AutoParameters need Autotune.")
    if strategy != "Hyperband" and "HyperbandStrategyConfig" in config.get("StrategyConfig", {}):
        raise ValueError("HyperbandStrategyConfig can be given only with the strategy Hyperband.")
    if strategy == "Hyperband" and config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise ValueError("TrainingJobEarlyStoppingType must be Off with the strategy Hyperband.")
    if strategy != "Grid" and most is None and "MaxRuntimeInSeconds" not in limits:
        raise ValueError("ResourceLimits needs MaxNumberOfTrainingJobs or MaxRuntimeInSeconds.")
    if most is not None and limits["MaxParallelTrainingJobs"] > most:
        raise ValueError("MaxParallelTrainingJobs must not be more than MaxNumberOfTrainingJobs.")


def _check_grid(definition: Definition, most: int | None) -> None:
    if any(each.kind != "categorical" for each in definition.space):
        raise ValueError("The strategy Grid takes CategoricalParameterRanges only.")
    combinations = size(definition.space)
    if most is not None and most != combinations:
        raise ValueError(
            f"MaxNumberOfTrainingJobs is {most}, but the grid has {combinations} combinations: give that, or none."
        )


def _check_trainable(call: Call, request: dict[str, Any], definition: Definition) -> None:
    """Refuse at once what no training job could be made of, by one with any values of the space."""
    if "AlgorithmName" in definition.asked["AlgorithmSpecification"]:
        raise not_built("AlgorithmSpecification.AlgorithmName")
    if not {"ResourceConfig", "HyperParameterTuningResourceConfig"} & definition.asked.keys():
        raise invalid("A training job definition needs ResourceConfig or HyperParameterTuningResourceConfig.")
    categories = [each for each in definition.space if each.kind == "categorical"]
    values = {each.name: each.text(each.low) for each in definition.space if each.kind != "categorical"}
    values |= combination(categories, 0)
    asked = {"TrainingJobName": request["HyperParameterTuningJobName"], **definition.request(values)}
    job = prepare_training(call.house, call.scope, asked)
    _check_objective(definition.metric, job["AlgorithmSpecification"], definition.asked["AlgorithmSpecification"])


def _check_objective(metric: str, algorithm: dict[str, Any], asked: dict[str, Any]) -> None:
    """It must be a metric that the jobs tell."""
    if metric in {each["Name"] for each in algorithm.get("MetricDefinitions", [])}:
        return
    if algorithm == asked:
        raise invalid(
            "A metric is required for this hyperparameter tuning job objective. Provide a metric in the metric "
            "definitions."
        )
    raise invalid(
        f"The objective metric for the hyperparameter tuning job, [{metric}], isn't valid for the "
        f"[{asked['TrainingImage']}] algorithm. Choose a valid objective metric."
    )


def _warm_start(call: Call, config: dict[str, Any], defined: list[Definition]) -> list[dict[str, Any]]:
    """What the parents' training jobs tried, with all their hyperparameters: what one tuned another may fix."""
    found = []
    for named in config["ParentHyperParameterTuningJobs"]:
        name = named.get("HyperParameterTuningJobName", "")
        try:
            parent = call.house.records.get(TUNING_JOB, call.scope, name)
        except NotFound:
            raise invalid(f"The parent hyperparameter tuning job {name} does not exist.") from None
        if parent.state.status in TUNING_JOB.live:
            raise invalid(f"The parent hyperparameter tuning job {name} is {parent.state.status}: it must have ended.")
        its = definitions(parent.document)
        if config["WarmStartType"] == "IdenticalDataAndAlgorithm" and its[0].metric != defined[0].metric:
            raise invalid(
                f"The objective metric must be that of the parent tuning job {name}, which is {its[0].metric}."
            )
        found += [
            _tried(trial, its) for trial in trials_of(call.house, parent, its) if trial.objective_status == "Succeeded"
        ]
    return found


def _tried(trial: Trial, defined: list[Definition]) -> dict[str, Any]:
    definition = next(each for each in defined if each.name == trial.defined_by)
    return {
        "Values": trial.record.document["HyperParameters"],
        "Objective": trial.objective,
        "Summary": summary(trial, definition),
    }


def _describe(house: House, record: Record) -> dict[str, Any]:
    """The definitions, with the metrics that the images of built-in algorithms bring."""
    if "TrainingJobDefinition" in record.document:
        [definition] = definitions(record.document)
        return {"TrainingJobDefinition": _with_metrics(house, record.scope, definition)}
    found = [_with_metrics(house, record.scope, each) for each in definitions(record.document)]
    return {"TrainingJobDefinitions": found}


def _with_metrics(house: House, scope: Scope, definition: Definition) -> dict[str, Any]:
    algorithm = definition.asked["AlgorithmSpecification"]
    asked = {**definition.asked, "HyperParameters": definition.static}
    metrics = [] if is_own(house, scope, algorithm["TrainingImage"]) else image_metrics(asked)
    objective = [{**each, "Name": OBJECTIVE} for each in metrics if each["Name"] == definition.metric]
    if not objective:
        return definition.asked
    return {**definition.asked, "AlgorithmSpecification": {**algorithm, "MetricDefinitions": metrics + objective}}


def _tell(record: Record) -> dict[str, Any]:
    config = record.document["HyperParameterTuningJobConfig"]
    return {"Strategy": config["Strategy"], "ResourceLimits": config["ResourceLimits"]}


TUNING_JOBS = Resource(
    base="HyperParameterTuningJob",
    kind=TUNING_JOB,
    missing="Amazon SageMaker can't find a tuning job: {arn}.",
    exists=(
        "Hyperparameter tuning job names must be unique within an AWS account and region, and a hyperparameter tuning "
        "job with this name already exists ({arn})"
    ),
    initial=IN_PROGRESS,
    message=COURSE.messages[IN_PROGRESS],
    prepare=_prepare,
    tell=_tell,
    describe=_describe,
    guard=only_finished("hyperparameter tuning job"),
    sort_by="Name",
    order="Ascending",
)
serve(TUNING_JOBS, "Create", "Describe", "List", "Delete")
serve_stop(TUNING_JOBS, COURSE, "hyperparameter tuning job")
serve_search(TUNING_JOBS)


@operation("ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = find(call, TUNING_JOBS, request["HyperParameterTuningJobName"])
    defined = definitions(record.document)
    by_name = {each.name: each for each in defined}
    trials = trials_of(call.house, record, defined)
    page, token = page_of(trials, request)
    told = [summary(trial, by_name[trial.defined_by], record.name) for trial in page]
    answer: dict[str, Any] = {"TrainingJobSummaries": told}
    if token:
        answer["NextToken"] = token
    return answer
