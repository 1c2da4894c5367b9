"""What can be wrong with a use of the records. Services turn these into the API's own errors."""


class AlreadyExists(Exception):
    """A record of that kind and name exists in that account and region."""


class NotFound(Exception):
    """There is no such record."""


class Stale(Exception):
    """The record was changed by another since it was loaded: load it again and decide anew."""


class IllegalTransition(Exception):
    """The kind has no road from the record's state to the one asked for."""


class HasChildren(Exception):
    """The record is the parent of live ones: it can be deleted once they have ended."""


class TooManyTags(Exception):
    """The record would have more tags than a resource may have."""


class Behind(Exception):
    """Many records are still to be indexed before they can be searched. The message says how many."""


class InvalidToken(Exception):
    """The token of a next page is not one that was given out for this listing."""
