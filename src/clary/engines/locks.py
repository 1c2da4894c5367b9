"""Locks that belong to an open file and so pass to a child with its descriptor: Linux's open file description locks
(fcntl(2)). Unlike flock's, one can ask whether they are held without taking them, which a `start` in between would
mistake for a running agent."""

import errno
import fcntl
import os
import struct

FLOCK = "hhqqi4x"
"""struct flock: type, whence, start, length, pid."""
WHOLE_FILE = struct.pack(FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)


def take(fd: int) -> bool:
    """Lock the file, until every copy of `fd` is closed; False where somebody else has locked it."""
    try:
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, WHOLE_FILE)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def is_held(path: str) -> bool:
    with open(path, "rb") as file:
        answer = fcntl.fcntl(file, fcntl.F_OFD_GETLK, WHOLE_FILE)
    return bool(struct.unpack(FLOCK, answer)[0] != fcntl.F_UNLCK)
