"""Amazon SageMaker Runtime: invocations of endpoints."""

from clary.services.operations import Operations

operation = Operations("sagemaker-runtime")
