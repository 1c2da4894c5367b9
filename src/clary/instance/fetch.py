"""Downloads of objects that are not on this disk: several at once, streamed, retried."""

from __future__ import annotations

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from clary.instance.errors import Refused
from clary.instance.spec import Source

AT_ONCE = 8
ATTEMPTS = 4
BACKOFF = 0.5
"""Seconds before the second attempt; doubled for each further one."""
TIMEOUT = 60
CHUNK = 1024 * 1024
LOOK = 0.2
"""Seconds between two calls of `check` while the downloads run."""


def fetch_all(sources: dict[str, Source], check: Callable[[], None]) -> None:
    """Download path → source. The first error, or an exception from `check`, ends all of them."""
    pool = ThreadPoolExecutor(AT_ONCE)
    pending = {pool.submit(fetch, source, path) for path, source in sources.items()}
    try:
        while pending:
            finished, pending = wait(pending, timeout=LOOK, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
            check()
    finally:
        # Not waited for: what is under way may hang as long as the network does, and ends with the agent.
        pool.shutdown(wait=False, cancel_futures=True)


def fetch(source: Source, path: str) -> None:
    for attempt in range(ATTEMPTS):
        try:
            return _attempt(source, path)
        except urllib.error.HTTPError as error:
            error.close()
            reason = f"{error.reason} ({error.code})"
            if error.code < 500 and error.code != 429:
                break
        except (OSError, http.client.HTTPException) as error:
            reason = str(error) or type(error).__name__
        if attempt < ATTEMPTS - 1:
            time.sleep(BACKOFF * 2**attempt)
    raise Refused(f"ClientError: Data download failed: {source.name}: {reason}.")


def _attempt(source: Source, path: str) -> None:
    with urllib.request.urlopen(source.location, timeout=TIMEOUT) as answer, open(path, "wb") as file:
        shutil.copyfileobj(answer, file, CHUNK)
    size = os.path.getsize(path)
    if source.size and size != source.size:
        raise http.client.HTTPException(f"{size} bytes of {source.size} came")
