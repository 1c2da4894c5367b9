"""Which failures pass: the database or the engine is away or overrun, the disk is full, the process is out of files.

A client that is told so (503) tries again, as every SDK does by itself; a mistake of Clary's own stays an internal
failure (500). Databases raise the same exceptions for both, so their own codes decide: SQLSTATE classes from
appendix A of PostgreSQL's manual, SQLite's primary result codes from "Result and Error Codes" of its documentation.
"""

import errno
import sqlite3

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from clary.engines.answers import EngineAway
from clary.records.errors import Behind, Stale

_ERRNO = frozenset(
    [errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO, errno.EROFS]
)
_SQLITE = frozenset(
    [
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    ]
)
_SQLSTATE_CLASSES = ("08", "40", "53", "57", "58")
"""Connections, rolled-back transactions, resources, an operator's intervention, the server's own system."""
_SQLSTATES = frozenset({"25006", "55P03"})
"""A server that only reads (while it is recovered or replaced); a lock that could not be had in time."""


def passes(error: BaseException) -> bool:
    """Whether the same call may go well later, with nothing changed in Clary or in the call."""
    if isinstance(error, DatabaseTimeout | Stale | Behind | EngineAway):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or (error.orig is not None and _passes_in_database(error.orig))
    return isinstance(error, OSError) and error.errno in _ERRNO


def _passes_in_database(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _SQLITE
    state = getattr(error, "sqlstate", None)
    if state is None:
        # psycopg has no code where no server spoke: it could not be reached, or went away.
        return type(error).__name__ in ("OperationalError", "ConnectionTimeout")
    return state in _SQLSTATES or state.startswith(_SQLSTATE_CLASSES)
