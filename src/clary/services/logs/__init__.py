"""Amazon CloudWatch Logs: groups, streams and their events."""

from clary.services.operations import Operations

operation = Operations("logs")
