"""Jobs that fill in their own trial components."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ended, put, run_job, training_request, unique, wait_until
from tests.services.sagemaker.processing.test_processing_jobs import asked, run, written

TRAIN = """
import os, pathlib, time
print("loss=3.0", flush=True)
print("loss=1.0", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model").write_text("trained")
"""
METRICS = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]


def component(platform: Platform, name: str) -> dict[str, Any]:
    told: dict[str, Any] = platform.client("sagemaker").describe_trial_component(TrialComponentName=name)
    return told


def with_metrics(platform: Platform, script: str, **changes: Any) -> dict[str, Any]:
    request = training_request(platform, script, **changes)
    return {**request, "AlgorithmSpecification": {**request["AlgorithmSpecification"], "MetricDefinitions": METRICS}}


def test_a_training_job_tells_what_it_was_given_and_what_came_of_it(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    uri = put(platform, f"{unique('data')}/rows.csv", "1,2\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}}
    request = with_metrics(
        platform,
        TRAIN,
        HyperParameters={"depth": "3", "kind": "tree"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": source, "ContentType": "text/csv"}],
    )
    sagemaker.create_training_job(**request)
    job = ended(platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job
    name = f"{job['TrainingJobName']}-aws-training-job"
    told = component(platform, name)
    assert told["DisplayName"] == name
    assert told["Source"] == {"SourceArn": job["TrainingJobArn"], "SourceType": "SageMakerTrainingJob"}
    assert told["Status"] == {
        "PrimaryStatus": "Completed",
        "Message": "Status: Completed, secondary status: Completed, failure reason: .",
    }
    assert (told["StartTime"], told["EndTime"]) == (job["TrainingStartTime"], job["TrainingEndTime"])
    parameters = told["Parameters"]
    assert parameters["depth"] == {"NumberValue": 3.0}
    assert parameters["kind"] == {"StringValue": "tree"}
    assert parameters["SageMaker.InstanceCount"] == {"NumberValue": 1.0}
    assert parameters["SageMaker.InstanceType"] == {"StringValue": "ml.m5.large"}
    assert told["InputArtifacts"]["train"] == {"MediaType": "text/csv", "Value": uri}
    image = request["AlgorithmSpecification"]["TrainingImage"]
    assert told["InputArtifacts"]["SageMaker.ImageUri"] == {"Value": image}
    assert told["OutputArtifacts"] == {
        "SageMaker.ModelArtifact": {"Value": f"s3://{BUCKET}/out/{job['TrainingJobName']}/output/model.tar.gz"}
    }
    (loss,) = told["Metrics"]
    assert (loss["MetricName"], loss["Min"], loss["Max"], loss["Avg"], loss["Last"]) == ("loss", 1.0, 3.0, 2.0, 1.0)
    assert loss["SourceArn"] == job["TrainingJobArn"]
    listed = sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])["TrialComponentSummaries"]
    assert [(each["TrialComponentName"], each["TrialComponentSource"]) for each in listed] == [(name, told["Source"])]


def test_a_job_of_an_experiment_is_in_its_trial_while_it_runs(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    experiment, trial = unique("experiment"), unique("trial")
    sagemaker.create_experiment(ExperimentName=experiment)
    sagemaker.create_trial(TrialName=trial, ExperimentName=experiment)
    config = {
        "ExperimentName": experiment,
        "TrialName": trial,
        "TrialComponentDisplayName": "shown",
        "RunName": "run-1",
    }
    request = training_request(platform, "import time; time.sleep(600)", ExperimentConfig=config)
    sagemaker.create_training_job(**request)
    name = f"{request['TrainingJobName']}-aws-training-job"
    wait_until(lambda: sagemaker.list_trial_components(TrialName=trial)["TrialComponentSummaries"])
    told = component(platform, name)
    assert (told["DisplayName"], told["Status"]["PrimaryStatus"]) == ("shown", "InProgress")
    sagemaker.update_trial_component(TrialComponentName=name, Parameters={"note": {"StringValue": "mine"}})
    sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])
    ended(platform, request["TrainingJobName"])
    told = component(platform, name)
    assert told["Status"]["PrimaryStatus"] == "Stopped"
    assert told["Parameters"]["note"] == {"StringValue": "mine"}
    assert sagemaker.describe_training_job(TrainingJobName=request["TrainingJobName"])["ExperimentConfig"] == config
    found = sagemaker.search(
        Resource="ExperimentTrialComponent",
        SearchExpression={"Filters": [{"Name": "Parents.ExperimentName", "Operator": "Equals", "Value": experiment}]},
    )["Results"]
    assert [(each["TrialComponent"]["TrialComponentName"], each["TrialComponent"]["RunName"]) for each in found] == [
        (name, "run-1")
    ]


def test_a_processing_job_without_a_trial_gets_one_of_its_own(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    experiment = unique("experiment")
    sagemaker.create_experiment(ExperimentName=experiment)
    script = 'open("/opt/ml/processing/out/rows.csv", "w").write("1")'
    uri = f"s3://{BUCKET}/{unique('rows')}"
    request = asked(
        platform,
        script,
        ProcessingOutputConfig=written(uri, "/opt/ml/processing/out"),
        ExperimentConfig={"ExperimentName": experiment},
    )
    job = run(platform, request)
    assert job["ProcessingJobStatus"] == "Completed", job
    (trial,) = sagemaker.list_trials(ExperimentName=experiment)["TrialSummaries"]
    assert trial["TrialName"] == job["ProcessingJobName"]
    (listed,) = sagemaker.list_trial_components(TrialName=trial["TrialName"])["TrialComponentSummaries"]
    told = component(platform, listed["TrialComponentName"])
    assert told["TrialComponentName"] == f"{job['ProcessingJobName']}-aws-processing-job"
    assert told["Source"]["SourceType"] == "SageMakerProcessingJob"
    assert told["OutputArtifacts"] == {"rows": {"Value": uri}}
    assert "code" in told["InputArtifacts"]
    assert told["EndTime"] == job["ProcessingEndTime"]


def test_a_job_that_fails_says_why_and_one_that_comes_after_it_begins_anew(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    job = run_job(platform, "raise SystemExit(3)")
    name = f"{job['TrainingJobName']}-aws-training-job"
    told = component(platform, name)
    assert told["Status"]["PrimaryStatus"] == "Failed"
    assert job["FailureReason"][:40] in told["Status"]["Message"]
    sagemaker.update_trial_component(TrialComponentName=name, Parameters={"note": {"StringValue": "old"}})
    sagemaker.delete_training_job(TrainingJobName=job["TrainingJobName"])
    assert component(platform, name)["Parameters"]["note"] == {"StringValue": "old"}
    request = training_request(platform, "print('well')")
    sagemaker.create_training_job(**{**request, "TrainingJobName": job["TrainingJobName"]})
    ended(platform, job["TrainingJobName"])
    told = component(platform, name)
    assert told["Status"]["PrimaryStatus"] == "Completed"
    assert "note" not in told["Parameters"]


@pytest.mark.parametrize("config", [{"ExperimentName": "absent"}, {"TrialName": "absent"}])
def test_a_job_of_what_is_not_there_is_refused(platform: Platform, config: dict[str, str]) -> None:
    request = training_request(platform, "pass", ExperimentConfig=config)
    with pytest.raises(ClientError, match="'absent' does not exist") as raised:
        platform.client("sagemaker").create_training_job(**request)
    assert raised.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_component_is_told_right_after_kills_of_the_platform(own_platform: Platform) -> None:
    sagemaker = own_platform.client("sagemaker")
    sagemaker.create_experiment(ExperimentName="killed")
    script = "import time; print('begun', flush=True); time.sleep(3)"
    request = training_request(own_platform, script, ExperimentConfig={"ExperimentName": "killed"})
    sagemaker.create_training_job(**request)
    own_platform.kill()
    own_platform.up()
    sagemaker = own_platform.client("sagemaker")
    wait_until(lambda: sagemaker.list_trial_components(ExperimentName="killed")["TrialComponentSummaries"])
    own_platform.kill()
    own_platform.up()
    job = ended(own_platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job
    sagemaker = own_platform.client("sagemaker")
    (trial,) = sagemaker.list_trials(ExperimentName="killed")["TrialSummaries"]
    (listed,) = sagemaker.list_trial_components(TrialName=trial["TrialName"])["TrialComponentSummaries"]
    told = component(own_platform, listed["TrialComponentName"])
    assert told["Status"]["PrimaryStatus"] == "Completed"
    assert told["EndTime"] == job["TrainingEndTime"]
