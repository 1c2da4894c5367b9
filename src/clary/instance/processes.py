"""Starting, finding and ending processes; Linux's /proc and pidfds, and no more of the library than that needs.

`subprocess` would do for starting, but costs every job more to import than the program's fork does to run.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import NoReturn

EXEC_FAILED = 127


@dataclass(frozen=True, slots=True)
class Child:
    pid: int
    pidfd: int
    """Readable once the child has ended."""
    stdout: int
    stderr: int


def spawn(
    argv: list[str],
    environment: dict[str, str],
    cwd: str,
    prepare: Callable[[], None],
    call: Callable[[], int] | None = None,
) -> Child:
    """Start `argv` as the leader of its own session. `prepare` runs in the child, just before the program. With `call`
    that is the program, `argv` its name, and what it returns the exit code.

    Where the program cannot be started, the child says why on its stderr and exits with `EXEC_FAILED`.
    """
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, environment, cwd, prepare, call, out_write, err_write)
    os.close(out_write)
    os.close(err_write)
    for fd in (out_read, err_read):
        os.set_blocking(fd, False)
    return Child(pid, os.pidfd_open(pid), out_read, err_read)


def _become(
    argv: list[str],
    environment: dict[str, str],
    cwd: str,
    prepare: Callable[[], None],
    call: Callable[[], int] | None,
    stdout: int,
    stderr: int,
) -> NoReturn:
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (stdout, 1), (stderr, 2)):
            os.dup2(source, target)
        # Python ignores it for itself; programs expect the default.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        prepare()
        os.chdir(cwd)
        if call:
            os.environ.clear()
            os.environ.update(environment)
            os._exit(call())
        os.execvpe(argv[0], argv, environment)
    except BaseException as error:
        os.write(2, f"{argv[0]}: {error}\n".encode())
    os._exit(EXEC_FAILED)


def exit_code(wait_status: int) -> int:
    """As `InstanceStatus.exit_code`. bubblewrap and shells tell of a signal by 128 plus its number."""
    code = os.waitstatus_to_exitcode(wait_status)
    return 128 - code if 128 < code <= 128 + signal.NSIG else code


def children(parent: int) -> list[int]:
    """Of a process that has one thread."""
    with contextlib.suppress(OSError), open(f"/proc/{parent}/task/{parent}/children", encoding="ascii") as file:
        return list(map(int, file.read().split()))
    return _children_by_search(parent)


def _children_by_search(parent: int) -> list[int]:
    """Where the kernel keeps no list of them, or the process has ended."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                # The fields after the command's name, which may itself hold blanks and parentheses.
                if int(file.read().rpartition(b")")[2].split()[1]) == parent:
                    found.append(int(name))
    return found


def sandboxed(bwrap: int) -> tuple[int, int] | None:
    """(first process of the sandbox, the program) of a running bubblewrap; None while, or once, there is no program.

    bubblewrap's process outside has one child, which is pid 1 inside and forwards no signals; its first child is the
    program, pid 2 inside. Both pids are those that the host sees.
    """
    for first in children(bwrap):
        for child in children(first):
            if _inner_pid(child) == 2:
                return first, child
    return None


def _inner_pid(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("NSpid:"):
                return int(line.split()[-1])
    return 0


def send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def chain(*steps: Callable[[], None]) -> Callable[[], None]:
    def all_of_them() -> None:
        for step in steps:
            step()

    return all_of_them


def close_all_but(kept: Collection[int]) -> None:
    """In a child: the agent's locks are not to be held for a moment longer than it lives."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd not in kept:
            with contextlib.suppress(OSError):
                os.close(fd)


def adopt_orphans() -> None:
    """Make this process the parent of what its descendants leave running, so that it can be found and killed."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    from clary.instance import libc

    libc.prctl(option, value)


_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
