"""Tuning jobs through boto3: the jobs that they start, what is told of them, and how they end."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ROLE, SKLEARN, put, tar_gz, unique, wait_until

PARABOLA = """
import json, pathlib
given = json.loads(pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text())
x = float(given["x"])
print(f"loss={(x - 3) ** 2};", flush=True)
"""
WAITS = "import time; print('loss=1;', flush=True); time.sleep(600)"
EPOCHS = """
import json, pathlib, time
given = json.loads(pathlib.Path("/opt/ml/input/config/hyperparameters.json").read_text())
level = float(given["x"])
for epoch in range(1, 10):
    print(f"loss={level + 1 / epoch};", flush=True)
    time.sleep(float(given["pause"]))
"""
NUMBERS = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "-10", "MaxValue": "10", "ScalingType": "Linear"}]}
LEVELS = {"CategoricalParameterRanges": [{"Name": "x", "Values": [str(level) for level in range(6)]}]}
MINIMIZE = {"Type": "Minimize", "MetricName": "loss"}


def config(most: int | None, parallel: int = 2, ranges: dict[str, Any] = NUMBERS, **more: Any) -> dict[str, Any]:
    limits = {"MaxParallelTrainingJobs": parallel} | ({"MaxNumberOfTrainingJobs": most} if most else {})
    return {
        "Strategy": "Random",
        "ResourceLimits": limits,
        "HyperParameterTuningJobObjective": MINIMIZE,
        "ParameterRanges": ranges,
        **more,
    }


def definition(platform: Platform, script: str, **static: str) -> dict[str, Any]:
    source = put(platform, f"{unique('source')}/sourcedir.tar.gz", tar_gz({"train.py": script}))
    return {
        "AlgorithmSpecification": {
            "TrainingImage": SKLEARN,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.e-]+);"}],
        },
        "StaticHyperParameters": {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(source),
            **static,
        },
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def start(platform: Platform, job: dict[str, Any], trial: dict[str, Any], **more: Any) -> str:
    name = unique("tune")
    platform.client("sagemaker").create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, HyperParameterTuningJobConfig=job, TrainingJobDefinition=trial, **more
    )
    return name


def ended(platform: Platform, name: str) -> dict[str, Any]:
    describe = platform.client("sagemaker").describe_hyper_parameter_tuning_job
    final = ("Completed", "Failed", "Stopped")
    wait_until(
        lambda: describe(HyperParameterTuningJobName=name)["HyperParameterTuningJobStatus"] in final, seconds=120
    )
    job: dict[str, Any] = describe(HyperParameterTuningJobName=name)
    return job


def listed(platform: Platform, name: str, **asked: Any) -> list[dict[str, Any]]:
    jobs = platform.client("sagemaker").list_training_jobs_for_hyper_parameter_tuning_job
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = jobs(HyperParameterTuningJobName=name, MaxResults=2, **asked, **token)
        found += page["TrainingJobSummaries"]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_it_starts_its_jobs_and_tells_the_best(platform: Platform) -> None:
    name = start(platform, config(5), definition(platform, PARABOLA), Tags=[{"Key": "team", "Value": "a"}])
    job = ended(platform, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == 5
    assert job["ObjectiveStatusCounters"] == {"Succeeded": 5, "Pending": 0, "Failed": 0}
    assert job["HyperParameterTuningEndTime"] >= job["CreationTime"]
    trials = listed(platform, name, SortBy="FinalObjectiveMetricValue")
    losses = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
    assert losses == sorted(losses)
    for trial, loss in zip(trials, losses, strict=True):
        assert (float(trial["TunedHyperParameters"]["x"]) - 3) ** 2 == pytest.approx(loss, rel=1e-6)
        assert trial["ObjectiveStatus"] == "Succeeded"
    assert job["BestTrainingJob"]["TrainingJobName"] == trials[0]["TrainingJobName"]
    assert listed(platform, name, SortBy="FinalObjectiveMetricValue", SortOrder="Descending") == trials[::-1]
    sagemaker = platform.client("sagemaker")
    child = sagemaker.describe_training_job(TrainingJobName=trials[0]["TrainingJobName"])
    assert child["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert child["HyperParameters"]["_tuning_objective_metric"] == "loss"
    assert sagemaker.list_tags(ResourceArn=child["TrainingJobArn"])["Tags"] == [{"Key": "team", "Value": "a"}]
    names = [trial["TrainingJobName"] for trial in listed(platform, name)]
    assert [each.removeprefix(name).split("-")[1] for each in names] == ["001", "002", "003", "004", "005"]


def test_no_more_run_at_a_time_than_it_may(platform: Platform) -> None:
    script = PARABOLA + "import time; time.sleep(0.5)"
    name = start(platform, config(5, parallel=2), definition(platform, script))
    ended(platform, name)
    spans = [(trial["CreationTime"], trial["TrainingEndTime"]) for trial in listed(platform, name)]
    assert max(sum(begin <= at < end for begin, end in spans) for at, _ in spans) == 2


def test_a_seed_makes_two_jobs_alike(platform: Platform) -> None:
    trial, job = definition(platform, PARABOLA), config(3, parallel=1, RandomSeed=5)
    names = [start(platform, job, trial) for _ in range(2)]
    for name in names:
        ended(platform, name)
    first, second = ([each["TunedHyperParameters"] for each in listed(platform, name)] for name in names)
    assert first == second


def test_a_grid_is_tried_whole(platform: Platform) -> None:
    job = config(None, parallel=3, ranges=LEVELS, Strategy="Grid")
    name = start(platform, job, definition(platform, PARABOLA))
    ended(platform, name)
    assert sorted(trial["TunedHyperParameters"]["x"] for trial in listed(platform, name)) == list("012345")


def test_early_stopping_ends_what_is_worse_than_the_median(platform: Platform) -> None:
    """The grid goes from the best level to the worst, one at a time: the last are stopped in their first epochs."""
    job = config(None, parallel=1, ranges=LEVELS, Strategy="Grid", TrainingJobEarlyStoppingType="Auto")
    name = start(platform, job, definition(platform, EPOCHS, pause="0.4"))
    job = ended(platform, name)
    statuses = {trial["TunedHyperParameters"]["x"]: trial["TrainingJobStatus"] for trial in listed(platform, name)}
    assert [statuses[level] for level in "012"] == ["Completed"] * 3
    assert [statuses[level] for level in "345"] == ["Stopped"] * 3
    assert job["TrainingJobStatusCounters"]["Stopped"] == 3
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 6


def test_hyperband_stops_the_worse_at_its_rungs(platform: Platform) -> None:
    ranges = {"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0", "MaxValue": "100"}]}
    job = config(9, parallel=3, ranges=ranges, Strategy="Hyperband", RandomSeed=1)
    job["StrategyConfig"] = {"HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}}
    name = start(platform, job, definition(platform, EPOCHS, pause="0.3"))
    job = ended(platform, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Stopped"] >= 2
    assert job["ObjectiveStatusCounters"]["Succeeded"] == 9


def test_it_completes_at_its_target_and_stops_what_runs(platform: Platform) -> None:
    criteria = {"TargetObjectiveMetricValue": 2.0}
    script = PARABOLA + "import time; time.sleep(0 if abs(x - 3) < 1 else 600)"
    ranges = {"CategoricalParameterRanges": [{"Name": "x", "Values": ["9", "8", "3"]}]}
    job = config(None, parallel=3, ranges=ranges, Strategy="Grid", TuningJobCompletionCriteria=criteria)
    name = start(platform, job, definition(platform, script))
    job = ended(platform, name)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    assert job["TrainingJobStatusCounters"] == {
        "Completed": 1, "InProgress": 0, "RetryableError": 0, "NonRetryableError": 0, "Stopped": 2
    }  # fmt: skip


def test_it_completes_when_nothing_gets_better(platform: Platform) -> None:
    criteria = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}
    script = "print('loss=1;', flush=True)"
    job = config(20, parallel=1, TuningJobCompletionCriteria=criteria)
    job = ended(platform, start(platform, job, definition(platform, script)))
    assert job["TrainingJobStatusCounters"]["Completed"] == 4
    assert job["TuningJobCompletionDetails"]["NumberOfTrainingJobsObjectiveNotImproving"] == 3


def test_stopping_it_stops_its_jobs(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    name = start(platform, config(4), definition(platform, WAITS))
    wait_until(lambda: [each["TrainingJobStatus"] for each in listed(platform, name)] == ["InProgress"] * 2)
    with pytest.raises(ClientError, match="only a finished one can be deleted"):
        sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    assert ended(platform, name)["HyperParameterTuningJobStatus"] == "Stopped"
    assert [each["TrainingJobStatus"] for each in listed(platform, name)] == ["Stopped"] * 2
    sagemaker.delete_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
    with pytest.raises(ClientError, match="can't find a tuning job"):
        sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)


def test_it_fails_when_every_job_does(platform: Platform) -> None:
    job = ended(platform, start(platform, config(20), definition(platform, "raise SystemExit(1)")))
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("No training job succeeded after ")
    assert 5 <= job["TrainingJobStatusCounters"]["NonRetryableError"] <= 6


def test_a_warm_start_knows_what_its_parent_tried(platform: Platform) -> None:
    trial = definition(platform, PARABOLA)
    parent = start(platform, config(6, RandomSeed=2), trial)
    known = ended(platform, parent)["BestTrainingJob"]
    warm = {
        "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": parent}],
        "WarmStartType": "IdenticalDataAndAlgorithm",
    }
    name = start(platform, config(1, parallel=1, Strategy="Bayesian"), trial, WarmStartConfig=warm)
    job = ended(platform, name)
    both = [known, job["BestTrainingJob"]]
    best = min(both, key=lambda each: each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])
    assert job["OverallBestTrainingJob"]["TrainingJobName"] == best["TrainingJobName"]
    warm["ParentHyperParameterTuningJobs"] = [{"HyperParameterTuningJobName": "no-such"}]
    with pytest.raises(ClientError, match="does not exist"):
        start(platform, config(1, parallel=1), trial, WarmStartConfig=warm)


def test_several_algorithms_are_tried_in_turn(platform: Platform) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("tune")
    defined = [
        {
            **definition(platform, PARABOLA),
            "DefinitionName": each,
            "TuningObjective": MINIMIZE,
            "HyperParameterRanges": its,
        }
        for each, its in (("numbers", NUMBERS), ("levels", LEVELS))
    ]
    job = {"Strategy": "Bayesian", "ResourceLimits": config(4)["ResourceLimits"]}
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name, HyperParameterTuningJobConfig=job, TrainingJobDefinitions=defined
    )
    told = ended(platform, name)
    trials = listed(platform, name)
    assert [trial["TrainingJobDefinitionName"] for trial in trials] == ["numbers", "levels"] * 2
    losses = [trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for trial in trials]
    assert told["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == min(losses)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ParameterRanges": {}}, "At least one hyperparameter range"),
        ({"Strategy": "Grid"}, "CategoricalParameterRanges only"),
        ({"Strategy": "Grid", "ParameterRanges": LEVELS}, "grid has 6 combinations"),
        ({"Strategy": "Hyperband"}, "needs a MaxResource"),
        ({"ResourceLimits": {"MaxParallelTrainingJobs": 1}}, "needs MaxNumberOfTrainingJobs"),
        ({"ParameterRanges": {"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}}, "need Autotune"),
        (
            {"ParameterRanges": {"IntegerParameterRanges": [{"Name": "pause", "MinValue": "1", "MaxValue": "2"}]}},
            "both static and tuned",
        ),
    ],
)
def test_what_cannot_be_tuned_is_refused(platform: Platform, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        start(platform, {**config(4), **change}, definition(platform, "", pause="0"))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_hints_of_one_of_several_algorithms_need_autotune_too(platform: Platform) -> None:
    hints = {"AutoParameters": [{"Name": "x", "ValueHint": "1"}]}
    defined = {"DefinitionName": "a", "TuningObjective": MINIMIZE, "HyperParameterRanges": hints}
    with pytest.raises(ClientError, match="need Autotune"):
        platform.client("sagemaker").create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=unique("tune"),
            HyperParameterTuningJobConfig={"Strategy": "Random", "ResourceLimits": config(2)["ResourceLimits"]},
            TrainingJobDefinitions=[{**definition(platform, ""), **defined}],
        )


def test_what_no_job_could_do_is_refused_at_once(platform: Platform) -> None:
    trial = definition(platform, "")
    trial["AlgorithmSpecification"]["AlgorithmName"] = "bought"
    with pytest.raises(ClientError, match="not built in Clary yet"):
        start(platform, config(2), trial)


def test_a_kill_in_the_middle_loses_and_doubles_nothing(own_platform: Platform) -> None:
    platform = own_platform
    script = PARABOLA + "import time; time.sleep(0.3)"
    name = start(platform, config(8, parallel=2, RandomSeed=9), definition(platform, script))
    for kills in range(1, 4):
        wait_until(lambda kills=kills: len(listed(platform, name)) >= 2 * kills)
        platform.kill()
        platform.up()
    job = ended(platform, name)
    assert job["TrainingJobStatusCounters"]["Completed"] == 8, job
    numbers = [each["TrainingJobName"].split("-")[-2] for each in listed(platform, name)]
    assert numbers == [f"{number:03d}" for number in range(1, 9)]
