"""What a CreateTrainingJob may not ask of Clary yet, told by name.

Kept and described without effect, because nothing of them is missed here: VpcConfig, encryption between containers of
one machine (`jobs.traffic`) and of volumes, and the debugger's and profiler's hooks, which the SDK sends unasked.
"""

from typing import Any

from clary.services.sagemaker.errors import not_built, refuse_members

JOB = (
    "DebugRuleConfigurations",
    "InfraCheckConfig",
    "MlflowConfig",
    "ModelPackageConfig",
    "ProfilerRuleConfigurations",
    "RemoteDebugConfig",
    "ServerlessJobConfig",
    "SessionChainingConfig",
    "TensorBoardOutputConfig",
)
RESOURCES = ("InstancePlacementConfig", "InstancePreferences", "TrainingPlanArn")


def refuse_what_is_not_built(request: dict[str, Any]) -> None:
    resources, algorithm = request.get("ResourceConfig", {}), request.get("AlgorithmSpecification", {})
    refuse_members(request, JOB)
    refuse_members(resources, RESOURCES)
    refuse_members(algorithm, ("TrainingImageConfig",))
    if "TrainingImage" not in algorithm:
        raise not_built("A training job without AlgorithmSpecification.TrainingImage")
    if "AlgorithmName" in algorithm:
        raise not_built("AlgorithmSpecification.AlgorithmName")
    if not resources.get("InstanceGroups") and "InstanceType" not in resources:
        raise not_built("A training job without ResourceConfig.InstanceType")
    if not request["OutputDataConfig"]["S3OutputPath"].startswith("s3://"):
        raise not_built("An S3OutputPath that does not begin with s3://")
