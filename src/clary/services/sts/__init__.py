"""AWS STS: who is calling, and temporary credentials."""

from clary.services.operations import Operations

operation = Operations("sts")
