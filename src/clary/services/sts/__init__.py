"""AWS STS: who is calling, and temporary credentials."""

from clary.control.operations import Operations

operation = Operations("sts")
