"""Names for Unix sockets that are short enough: an address holds 107 bytes (`sun_path` in unix(7))."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

LONGEST_INSTANCE = 40
SUFFIX = "/run/server.sock"
LIMIT = 107


def short_directory(directory: str) -> str:
    """`directory`, or a link to it in the machine's temporary directory where sockets below it had too long a name.

    The link is made anew where it is missing, and refused where it is another user's.
    """
    if len(os.fsencode(directory)) + 1 + LONGEST_INSTANCE + len(SUFFIX) <= LIMIT:
        return directory
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
    link = f"{tempfile.gettempdir()}/clary-{os.getuid()}-{name}"
    with contextlib.suppress(FileExistsError):
        os.symlink(directory, link)
    if os.lstat(link).st_uid != os.getuid() or os.readlink(link) != directory:
        raise PermissionError(f"{link} is not Clary's own link to {directory}; remove it.")
    return link


def operator_socket(state: Path) -> str:
    """Where the platform of a state directory tells its operator what no AWS call does (`control/capacity.py`)."""
    return f"{short_directory(str(state.resolve()))}/operator.sock"
