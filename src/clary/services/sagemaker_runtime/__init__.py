"""Amazon SageMaker Runtime: invocations of endpoints."""

from clary.control.operations import Operations

operation = Operations("sagemaker-runtime")
