"""What of the kernel's own files a sandbox covers: those that change the whole machine, or tell of it.

`/proc` and `/sys` belong to the kernel and not to a mount namespace, and many of their files ask for no more than user
id 0, which a program has where Clary runs as root. The paths are those that the OCI runtime specification's default
configuration masks or makes read-only, and some that a program has no use for.
"""

from __future__ import annotations

import os

READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
MASKED = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/kcore",
    "/proc/key-users",
    "/proc/keys",
    "/proc/kmsg",
    "/proc/kpagecgroup",
    "/proc/kpagecount",
    "/proc/kpageflags",
    "/proc/latency_stats",
    "/proc/mtrr",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/slabinfo",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/vmallocinfo",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/bpf",
    "/sys/fs/pstore",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
)


def covers() -> list[str]:
    """bubblewrap's arguments, to come after those that mount `/proc` and `/sys`."""
    argv: list[str] = []
    for path in READ_ONLY:
        if os.path.exists(path):
            argv += ["--ro-bind", path, path]
    for path in MASKED:
        argv += mask(path)
    return argv


def mask(path: str) -> list[str]:
    """Hides a file or directory of the host; nothing where there is none."""
    if os.path.isdir(path):
        return ["--tmpfs", path, "--remount-ro", path]
    return ["--ro-bind", "/dev/null", path] if os.path.exists(path) else []
