"""AWS IAM, as far as roles go. Roles name who a job runs as. Clary lets every caller with a valid signature do all
that no policy denies, and asks policies in S3 alone: those of buckets, and what a role's own deny (`standing.py`)."""

from clary.control.operations import Operations

operation = Operations("iam")
