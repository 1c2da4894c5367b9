"""What may go wrong with a cluster, in words that pass from the driver's process to the platform's."""


class Lost(Exception):
    """The instance's actor is gone: its node died, or it was killed, or its cluster is another one."""


class Unfit(Exception):
    """A node cannot host instances, and the same try would end the same: the message says what to do."""
