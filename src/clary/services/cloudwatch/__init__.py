"""Amazon CloudWatch metrics."""

from clary.control.operations import Operations

operation = Operations("cloudwatch")
