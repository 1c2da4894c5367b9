"""The system calls that a program is refused: what belongs to the kernel and not to any namespace, and what has most
often been the way into it. About what container runtimes refuse a container without privileges.

A filter is a classic BPF program over `struct seccomp_data`: seccomp(2), and the kernel's userspace-api/seccomp_filter.
The numbers are those of the kernel's system call tables for each architecture.
"""

from __future__ import annotations

import errno
import os
import struct

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Machine → AUDIT_ARCH."""
X32_BIT = 0x40000000
REFUSED = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "delete_module": (176, 106),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pivot_root": (155, 41),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setns": (308, 268),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "userfaultfd": (323, 282),
}
CLONE, UNSHARE, IOCTL = (56, 220), (272, 97), (16, 29)
CLONE3 = 435
"""Its flags lie in memory, where no filter sees them: libraries that are told it does not exist use `clone`."""
NAMESPACES = 0x7E020000
"""CLONE_NEW* for mounts, cgroups, UTS, IPC, users, pids and network."""
INPUT_TO_TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: they type for whoever has the terminal."""

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
ALLOW, ERROR = 0x7FFF0000, 0x00050000


def filter_file() -> int | None:
    """A file with the filter for bubblewrap to read; None on an architecture without a table."""
    machine = os.uname().machine
    if machine not in ARCHITECTURES:
        return None
    fd = os.memfd_create("seccomp")
    os.write(fd, program(machine))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def program(machine: str) -> bytes:
    column = list(ARCHITECTURES).index(machine)
    refuse, unknown = _end(ERROR | errno.EPERM), _end(ERROR | errno.ENOSYS)
    steps = [_load(ARCHITECTURE_AT), _step(EQUAL, ARCHITECTURES[machine], 1, 0), unknown, _load(NUMBER_AT)]
    if machine == "x86_64":
        steps += [_step(AT_LEAST, X32_BIT, 0, 1), unknown]
    steps += [_step(EQUAL, CLONE3, 0, 1), unknown]
    for numbers in REFUSED.values():
        steps += [_step(EQUAL, numbers[column], 0, 1), refuse]
    for call in (CLONE, UNSHARE):
        tests = [_step(ANY_BIT, NAMESPACES, 0, 1), refuse]
        steps += _on_argument(call[column], 0, tests)
    tests = [step for request in INPUT_TO_TERMINAL for step in (_step(EQUAL, request, 0, 1), refuse)]
    steps += _on_argument(IOCTL[column], 1, tests)
    return b"".join([*steps, _end(ALLOW)])


def _on_argument(number: int, argument: int, tests: list[bytes]) -> list[bytes]:
    """`tests` of the lower half of an argument of one call; the kernel reads no more of these either."""
    body = [_load(ARGUMENTS_AT + 8 * argument), *tests, _end(ALLOW)]
    return [_step(EQUAL, number, 0, len(body)), *body]


def _load(offset: int) -> bytes:
    return _step(LOAD, offset)


def _end(verdict: int) -> bytes:
    return _step(RETURN, verdict)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """`struct sock_filter`; jumps count the steps to skip."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
