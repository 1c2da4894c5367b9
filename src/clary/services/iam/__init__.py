"""AWS IAM, as far as roles go. Clary lets every caller with a valid signature do everything: roles name who a
job runs as, and their policies are kept but never judged."""

from clary.control.operations import Operations

operation = Operations("iam")
