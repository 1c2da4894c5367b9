"""Amazon CloudWatch metrics."""

from clary.services.operations import Operations

operation = Operations("cloudwatch")
