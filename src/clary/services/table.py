"""Every operation that is built, by service and name. Importing this module imports all of `services`."""

import importlib

from clary.control.operations import Handler, Operations

MODULES = (
    "clary.services.sagemaker.training.api",
    "clary.services.sagemaker.training.updates",
    "clary.services.sagemaker.hosting.models",
    "clary.services.sagemaker.hosting.configs",
    "clary.services.sagemaker.hosting.endpoints",
    "clary.services.sagemaker.hosting.components.api",
    "clary.services.sagemaker.notebooks.code_repositories",
    "clary.services.sagemaker.notebooks.lifecycle_configs",
    "clary.services.sagemaker.model_registry.groups",
    "clary.services.sagemaker.model_registry.packages",
    "clary.services.sagemaker.processing.api",
    "clary.services.sagemaker.transform.api",
    "clary.services.sagemaker.tuning.api",
    "clary.services.sagemaker.experiments.experiments",
    "clary.services.sagemaker.experiments.trials",
    "clary.services.sagemaker.experiments.components",
    "clary.services.sagemaker.experiments.associating",
    "clary.services.sagemaker.lineage.actions",
    "clary.services.sagemaker.lineage.artifacts",
    "clary.services.sagemaker.lineage.contexts",
    "clary.services.sagemaker.lineage.associations",
    "clary.services.sagemaker.lineage.queries",
    "clary.services.sagemaker.search.api",
    "clary.services.sagemaker.tags",
    "clary.services.sagemaker_runtime.api",
    "clary.services.sagemaker_runtime.asynchronous.api",
    "clary.services.sagemaker_metrics.api",
    "clary.services.sagemaker_metrics.queries",
    "clary.services.s3.api",
    "clary.services.sts.api",
    "clary.services.iam.api",
    "clary.services.iam.policies",
    "clary.services.logs.api",
    "clary.services.logs.events",
    "clary.services.cloudwatch.api",
    "clary.services.cloudwatch.data",
    "clary.services.cloudwatch.alarms.api",
    "clary.services.cloudwatch.alarms.history",
    "clary.services.application_autoscaling.targets",
    "clary.services.application_autoscaling.policies",
    "clary.services.application_autoscaling.actions",
    "clary.services.application_autoscaling.activities",
    "clary.services.application_autoscaling.tags",
    "clary.services.ecr.api",
    "clary.services.ecr.images",
    "clary.services.ecr.layers",
    "clary.services.ecr.settings",
    "clary.services.ecr.lifecycle",
    "clary.services.distribution.blobs",
    "clary.services.distribution.uploads",
    "clary.services.distribution.manifests",
    "clary.services.distribution.listing",
    "clary.services.sqs.api",
    "clary.services.sqs.sending",
    "clary.services.sqs.receiving",
    "clary.services.sns.api",
    "clary.services.sns.subscriptions",
    "clary.services.sns.publishing",
    "clary.services.operating.api",
)

PACKAGES = (
    "clary.services.sagemaker",
    "clary.services.sagemaker_runtime",
    "clary.services.sagemaker_metrics",
    "clary.services.s3",
    "clary.services.sts",
    "clary.services.iam",
    "clary.services.logs",
    "clary.services.cloudwatch",
    "clary.services.application_autoscaling",
    "clary.services.ecr",
    "clary.services.distribution",
    "clary.services.sqs",
    "clary.services.sns",
    "clary.services.operating",
)


def all_handlers() -> dict[tuple[str, str], Handler]:
    """`(botocore's service name, operation)` → handler."""
    for module in MODULES:
        importlib.import_module(module)
    handlers: dict[tuple[str, str], Handler] = {}
    for package in PACKAGES:
        operations: Operations = importlib.import_module(package).operation
        handlers |= {(operations.service, name): handler for name, handler in operations.handlers.items()}
    return handlers
