"""Several worker processes on one listening socket, replaced when they die."""

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

LOAD_FAILED = 3
"""Exit status of a worker that could not load the model: another one could not either."""


def supervise(count: int, work: Callable[[], int]) -> int:
    """Keep `count` processes at `work` until SIGTERM, or until one reports `LOAD_FAILED`; the exit status."""
    workers: set[int] = set()
    stopping = False

    def stop(_signum: int, _frame: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in workers:
            os.kill(pid, signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for _ in range(count):
        workers.add(_fork(work))
    if stopping:  # SIGTERM came before all were known.
        stop(signal.SIGTERM, None)
    status = 0
    while workers:
        pid, ended = os.wait()
        workers.discard(pid)
        code = os.waitstatus_to_exitcode(ended)
        if code == LOAD_FAILED:
            status = LOAD_FAILED
            stop(signal.SIGTERM, None)
        elif not stopping:
            print(f"Worker {pid} ended with {code}; starting another.", file=sys.stderr, flush=True)
            workers.add(_fork(work))
            if stopping:  # SIGTERM came before the new worker was known.
                stop(signal.SIGTERM, None)
    return status


def _fork(work: Callable[[], int]) -> int:
    """Start a worker; its pid. In the worker itself this does not return."""
    # Held back until the worker has handlers of its own: the supervisor's would take its SIGTERM and let it live on.
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, held)
        _exit_with(work)
    signal.pthread_sigmask(signal.SIG_SETMASK, held)
    return pid


def _exit_with(work: Callable[[], int]) -> NoReturn:
    """End this process as `work` ends: a worker must never return into the supervisor's code."""
    status = 1
    try:
        status = work()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
