"""What a process gives up before it becomes a program, with a sandbox and without."""

from __future__ import annotations

import contextlib
import resource

OOM_SCORE = 500
"""Of a thousand: where the machine's memory is used up, programs are killed before the platform."""


def confine() -> None:
    # A core dump would be handed to whatever the host runs for those, as root.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write(str(OOM_SCORE))


def keep_from_the_hosts_sockets() -> None:
    """Abstract Unix sockets belong to the network, which a program shares with the host unless it is isolated."""
    from clary.instance import libc

    # An older kernel knows no such bound.
    with contextlib.suppress(OSError):
        libc.keep_to_own_abstract_sockets()


def limit_processes(most: int) -> None:
    """Only for a user id that nobody else has: the kernel counts all processes of it."""
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
