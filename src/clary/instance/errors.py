"""What ends an instance before, or instead of, its program."""


class Refused(Exception):
    """The instance fails; the argument is the reason as the user reads it."""


class StopAsked(Exception):
    """Somebody asked the instance to stop before its program ran."""
