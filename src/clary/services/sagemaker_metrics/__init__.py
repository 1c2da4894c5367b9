"""Amazon SageMaker Metrics: metrics that programs log into trial components as they go."""

from clary.control.operations import Operations

operation = Operations("sagemaker-metrics")
