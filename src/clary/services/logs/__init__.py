"""Amazon CloudWatch Logs: groups, streams and their events."""

from clary.control.operations import Operations

operation = Operations("logs")
