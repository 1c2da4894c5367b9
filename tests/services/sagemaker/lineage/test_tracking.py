"""Lineage that a training job, an endpoint and a model package draw by themselves."""

from typing import Any

from tests.platform import Platform
from tests.programs import BUCKET, ROLE, SKLEARN, ended, put, tar_gz, training_request, unique, wait_until

SCRIPT = "open('/opt/ml/model/weights', 'w').write('1')"
SERVES = "def model_fn(_directory):\n    return lambda data: data\n\ndef predict_fn(data, _model):\n    return data\n"


def train(platform: Platform, data: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": data}
    channels = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
    request = training_request(
        platform,
        SCRIPT,
        InputDataConfig=channels,
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/{unique('checkpoints')}"},
    )
    platform.client("sagemaker").create_training_job(**request)
    job = ended(platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    wait_until(lambda: platform.client("sagemaker").list_artifacts(SourceUri=model)["ArtifactSummaries"])
    return job


def deploy(platform: Platform) -> str:
    sagemaker, name = platform.client("sagemaker"), unique("lineage")
    data = put(platform, f"{name}/model.tar.gz", tar_gz({"code/inference.py": SERVES}))
    container = {"Image": SKLEARN, "ModelDataUrl": data, "Environment": {"SAGEMAKER_PROGRAM": "inference.py"}}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    wait_until(lambda: sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService")
    return name


def query(sagemaker: Any, arn: str, direction: str, *types: str) -> set[str]:
    """ARNs."""
    answer = sagemaker.query_lineage(StartArns=[arn], Direction=direction, Filters={"Types": list(types)})
    return {vertex["Arn"] for vertex in answer["Vertices"]}


def artifact(sagemaker: Any, uri: str) -> dict[str, Any]:
    (found,) = sagemaker.list_artifacts(SourceUri=uri)["ArtifactSummaries"]
    summary: dict[str, Any] = found
    return summary


def test_from_the_data_to_the_model(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    data = put(platform, f"{unique('rows')}/a.csv", "1,2")
    job = train(platform, data)
    (component,) = sagemaker.list_trial_components(SourceArn=job["TrainingJobArn"])["TrialComponentSummaries"]
    associations = sagemaker.list_associations(DestinationArn=component["TrialComponentArn"])["AssociationSummaries"]
    assert {(each["SourceType"], each["AssociationType"]) for each in associations} == {
        ("DataSet", "ContributedTo"),
        ("Image", "ContributedTo"),
    }
    produced = sagemaker.list_associations(SourceArn=component["TrialComponentArn"])["AssociationSummaries"]
    assert {(each["DestinationType"], each["AssociationType"]) for each in produced} == {
        ("Model", "Produced"),
        ("Checkpoint", "Produced"),
    }
    model = artifact(sagemaker, job["ModelArtifacts"]["S3ModelArtifacts"])
    assert query(sagemaker, model["ArtifactArn"], "Ascendants", "DataSet") == {artifact(sagemaker, data)["ArtifactArn"]}
    # A second job of the same data has the same artifact.
    train(platform, data)
    rows = artifact(sagemaker, data)["ArtifactArn"]
    assert len(query(sagemaker, rows, "Descendants", "TrainingJob")) == 2


def test_from_the_model_to_the_endpoint(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    name = deploy(platform)
    (context,) = sagemaker.list_contexts(SourceUri=sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"])[
        "ContextSummaries"
    ]
    assert context["ContextType"] == "Endpoint"
    model = artifact(sagemaker, f"s3://{BUCKET}/{name}/model.tar.gz")
    assert query(sagemaker, model["ArtifactArn"], "Descendants", "Endpoint") == {context["ContextArn"]}
    (action,) = query(sagemaker, context["ContextArn"], "Ascendants", "ModelDeployment")
    assert action.endswith(f"{name}-aws-model-deployment")
    sagemaker.delete_endpoint(EndpointName=name)


def test_from_the_model_to_its_group(platform: Platform) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("group")
    group = sagemaker.create_model_package_group(ModelPackageGroupName=name)["ModelPackageGroupArn"]
    uri = f"s3://{BUCKET}/{name}/model.tar.gz"
    package = sagemaker.create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={
            "Containers": [{"Image": SKLEARN, "ModelDataUrl": uri}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    arn = artifact(sagemaker, package)["ArtifactArn"]
    assert query(sagemaker, arn, "Ascendants", "Model") == {artifact(sagemaker, uri)["ArtifactArn"]}
    actions = query(sagemaker, arn, "Ascendants", "Approval")
    assert {each.rpartition("/")[2] for each in actions} == {
        f"{name}-1-PendingManualApproval-aws-model-package",
        f"{name}-1-Approved-aws-model-package",
    }
    (context,) = sagemaker.list_contexts(SourceUri=group)["ContextSummaries"]
    assert query(sagemaker, arn, "Descendants", "ModelGroup") == {context["ContextArn"]}
