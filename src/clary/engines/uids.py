"""User ids that programs run as where Clary is root: one for each instance, and never two live ones the same."""

import functools
import grp
import pwd
from contextlib import suppress

from clary.engines.claims import Claims

DIRECTORY = "/run/clary-uids"
DEFAULT_RANGE = "2100000000:65536"
"""First and number, as in subuid(5). Above what systemd, sssd, and the subordinate ids of shadow give out by default,
and below 2^31, which some programs cannot hold."""


def uid_claims(uids: str = DEFAULT_RANGE, directory: str = DIRECTORY) -> Claims:
    first, _, count = uids.partition(":")
    return Claims(range(int(first), int(first) + int(count)), directory, lambda uid: not _has_account(uid))


@functools.cache
def _has_account(uid: int) -> bool:
    for known in (pwd.getpwuid, grp.getgrgid):
        with suppress(KeyError):
            known(uid)
            return True
    return False
