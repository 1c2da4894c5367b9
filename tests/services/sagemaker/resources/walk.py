"""The smallest resource of each kind: what tests that walk the published model make."""

import base64
from typing import Any

from tests.programs import ROLE

UNKNOWN_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/no-such-image:1"
"""Nothing is started for it: what would run it fails at once."""
SCRIPT = base64.b64encode(b"#!/bin/sh\necho started\n").decode()
REPOSITORY = {"RepositoryUrl": "https://git.example.com/team/models.git", "Branch": "main"}
VARIANT = {"VariantName": "all", "ModelName": "walk-a", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
TRIAL = {
    "AlgorithmSpecification": {
        "TrainingImage": UNKNOWN_IMAGE,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
    },
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}
TRAINING = {
    "AlgorithmSpecification": {"TrainingImage": UNKNOWN_IMAGE, "TrainingInputMode": "File"},
    "RoleArn": ROLE,
    "OutputDataConfig": {"S3OutputPath": "s3://bucket/out"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
}

TUNING = {
    "Strategy": "Random",
    "ResourceLimits": {"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
    "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
    "ParameterRanges": {"IntegerParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "2"}]},
}

SMALLEST: dict[str, dict[str, Any]] = {
    "Model": {"PrimaryContainer": {"Image": UNKNOWN_IMAGE}, "ExecutionRoleArn": ROLE},
    "EndpointConfig": {"ProductionVariants": [VARIANT]},
    "Endpoint": {"EndpointConfigName": "walk-a"},
    "TrainingJob": TRAINING,
    "ProcessingJob": {
        "AppSpecification": {"ImageUri": UNKNOWN_IMAGE},
        "RoleArn": ROLE,
        "ProcessingResources": {"ClusterConfig": {"InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
    },
    "TransformJob": {
        "ModelName": "walk-a",
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in"}}},
        "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    },
    "HyperParameterTuningJob": {"HyperParameterTuningJobConfig": TUNING, "TrainingJobDefinition": TRIAL},
    "Experiment": {"Description": "which depth is best"},
    "Trial": {"ExperimentName": "walk-a"},
    "TrialComponent": {"Parameters": {"depth": {"NumberValue": 3.0}, "kind": {"StringValue": "tree"}}},
    "Action": {"Source": {"SourceUri": "s3://data/report"}, "ActionType": "Approval"},
    "Context": {"Source": {"SourceUri": "s3://data/models"}, "ContextType": "Family"},
    "CodeRepository": {"GitConfig": REPOSITORY},
    "ModelPackageGroup": {"ModelPackageGroupDescription": "versions of one model"},
    "ModelPackage": {"InferenceSpecification": {"Containers": [{"Image": UNKNOWN_IMAGE}]}},
    "NotebookInstanceLifecycleConfig": {"OnStart": [{"Content": SCRIPT}]},
}
"""By base: a Create request but for the name. In this order they can be made."""

APART = {"Artifact", "Association", "InferenceComponent"}
"""Kinds that are not called by a name of their own, whose tests are in `lineage/`, or that only an endpoint in service
has (`hosting/test_components.py`)."""
