"""Why an algorithm failed, and whose it is to mend."""


class UserError(Exception):
    """The user's: a hyperparameter, a channel, the data."""


class AlgorithmError(Exception):
    """The algorithm's own."""
