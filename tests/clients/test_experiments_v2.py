"""Version 2 of the SageMaker SDK: runs of an experiment, jobs within them, and tables of both."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform
from tests.programs import training_request, unique

pytestmark = pytest.mark.clients

IN_A_JOB = """
from sagemaker import Session
from sagemaker.experiments import load_run

with load_run(sagemaker_session=Session()) as run:
    for step in range(12):
        run.log_metric("loss", 1 / (1 + step), step=step)
    run.log_parameter("seen", "inside")
    print("run:", run.experiment_name, run.run_name)
"""


def test_runs_and_their_jobs_are_compared(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "experiments_v2" / "compare.py")
    command = [client_program("v2", "python"), program, "--experiment", "compared"]
    printed = run(command, platform.program_environment(), tmp_path)
    assert "runs: depth-2, depth-6, line" in printed
    (best,) = errors_in_rings(printed)
    assert best < 2.35
    sagemaker = platform.client("sagemaker")
    components = sagemaker.list_trial_components(ExperimentName="compared")["TrialComponentSummaries"]
    names = sorted(each["TrialComponentName"] for each in components)
    jobs = [name for name in names if name.endswith("-aws-training-job")]
    assert set(names) - set(jobs) == {"compared-line", "compared-depth-2", "compared-depth-6"}
    assert len(jobs) == 2
    line = sagemaker.describe_trial_component(TrialComponentName="compared-line")
    assert line["Status"]["PrimaryStatus"] == "Completed"
    assert (line["Metrics"][0]["MetricName"], line["Metrics"][0]["Count"]) == ("validation:rmse", 24)
    assert line["InputArtifacts"]["data"]["Value"].endswith("/abalone.csv")


def test_the_program_of_a_job_finds_its_run(platform: Platform, tmp_path: Path) -> None:
    sagemaker = platform.client("sagemaker")
    experiment = unique("loaded")
    sagemaker.create_experiment(ExperimentName=experiment)
    config = {"ExperimentName": experiment, "RunName": f"{experiment}-first"}
    request = training_request(platform, "pass", ExperimentConfig=config)
    arn = sagemaker.create_training_job(**request)["TrainingJobArn"]
    script = tmp_path / "inside.py"
    script.write_text(IN_A_JOB)
    environment = {**platform.program_environment(), "TRAINING_JOB_ARN": arn}
    printed = run([client_program("v2", "python"), str(script)], environment, tmp_path)
    assert f"run: {experiment} first" in printed
    told = sagemaker.describe_trial_component(TrialComponentName=f"{experiment}-first")
    assert told["Parameters"] == {"seen": {"StringValue": "inside"}}
    (loss,) = told["Metrics"]
    assert (loss["Count"], loss["Max"], loss["Last"]) == (12, 1.0, pytest.approx(1 / 12))


LINEAGE = """
from sagemaker import Session
from sagemaker.experiments import Run
from sagemaker.lineage.artifact import Artifact
from sagemaker.lineage.association import Association
from sagemaker.lineage.query import LineageQuery, LineageQueryDirectionEnum

session = Session()
with Run("traced", "one", sagemaker_session=session) as run:
    # What log_roc_curve and its like do with what scikit-learn computed.
    run._log_graph_artifact(artifact_name="curve", data={"type": "ROCCurve"}, graph_type="ROCCurve", is_output=True)
    component = run._trial_component.trial_component_arn
data = Artifact.create(source_uri="s3://data/traced", artifact_type="DataSet", sagemaker_session=session)
Association.create(data.artifact_arn, component, association_type="ContributedTo", sagemaker_session=session)
found = LineageQuery(session).query([data.artifact_arn], direction=LineageQueryDirectionEnum.DESCENDANTS)
print("found:", sorted(vertex.lineage_source for vertex in found.vertices if vertex.lineage_source), len(found.edges))
data.delete(disassociate=True)
print("left:", len(list(Association.list(destination_arn=component, sagemaker_session=session))))
"""


def test_what_a_run_draws_is_in_its_lineage(platform: Platform, tmp_path: Path) -> None:
    script = tmp_path / "lineage.py"
    script.write_text(LINEAGE)
    printed = run([client_program("v2", "python"), str(script)], platform.program_environment(), tmp_path)
    assert "found: ['ROCCurve'] 2" in printed
    assert "left: 0" in printed
