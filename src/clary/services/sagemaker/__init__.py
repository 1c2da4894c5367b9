"""Amazon SageMaker: one folder per family of resources, each with its operations and its reconciler."""

from clary.control.operations import Operations

operation = Operations("sagemaker")
