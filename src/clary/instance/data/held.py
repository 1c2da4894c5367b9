"""Links to the store's files, which are gone once their objects are deleted, for as long as an instance reads them."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

from clary.instance.data.staging import CANNOT_LINK, is_remote
from clary.instance.errors import Refused
from clary.instance.spec import Source


def hold(source: Source, path: str, check: Callable[[], None]) -> Source:
    """The source with a link at `path` in place of a file of the store's; as it is where it is no file of this disk, or
    cannot be linked."""
    check()
    if source.text or not source.location or is_remote(source):
        return source
    try:
        os.link(source.location, path)
    except OSError as error:
        if error.errno not in CANNOT_LINK:
            raise Refused(f"ClientError: Data download failed: {error.strerror or error}.") from error
        return source
    return replace(source, location=path)
