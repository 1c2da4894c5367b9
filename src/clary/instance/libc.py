"""Calls of Linux that Python 3.11 has no name for. Imported where one is needed: loading ctypes takes milliseconds."""

from __future__ import annotations

import ctypes
import os
import signal
import struct

CLONE_VM = 0x00000100
CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
MS_NOSUID, MS_NODEV, MS_REC, MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000
MNT_DETACH = 2

AT_FDCWD = -100
AT_EMPTY_PATH = 0x1000
AT_RECURSIVE = 0x8000
OPEN_TREE_CLONE = 1
MOVE_MOUNT_F_EMPTY_PATH = 4
MOUNT_ATTR_IDMAP = 0x00100000
# The same on every architecture but Alpha, as all calls since Linux 5.1.
SYS_OPEN_TREE, SYS_MOVE_MOUNT, SYS_MOUNT_SETATTR = 428, 429, 442
SYS_LANDLOCK_CREATE_RULESET, SYS_LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1
PR_SET_NO_NEW_PRIVS = 38

STACK_SIZE = 16384
LONGEST_WAIT = 10

_libc = ctypes.CDLL(None, use_errno=True)
_stack = ctypes.create_string_buffer(STACK_SIZE)


def unshare(flags: int) -> None:
    _checked("unshare", _libc.unshare(flags))


def wait_in(namespaces: int) -> int:
    """The pid of a new process in new namespaces, which does nothing but wait to be killed, and not for ever, should
    this one be killed first. It shares the memory of this one, of which nothing need be copied, and looks at none of it
    but a stack of its own: clone(2)."""
    top = ctypes.addressof(_stack) + STACK_SIZE & ~0xF
    flags = CLONE_VM | namespaces | signal.SIGCHLD
    return _checked("clone", _libc.clone(_libc.sleep, ctypes.c_void_p(top), flags, ctypes.c_void_p(LONGEST_WAIT)))


def enter(namespace: int, kind: int) -> None:
    """Move the calling process into the namespace, of the kind of a `CLONE_NEW*`, that a descriptor names: setns(2)."""
    _checked("setns", _libc.setns(namespace, kind))


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    words = [text.encode() or None for text in (source, target, kind)]
    _checked(f"mount {target}", _libc.mount(*words, ctypes.c_ulong(flags), options.encode() or None))


def detach(target: str) -> None:
    _checked(f"umount {target}", _libc.umount2(target.encode(), MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    _checked(f"pivot_root {new}", _libc.pivot_root(new.encode(), old.encode()))


def prctl(option: int, value: int) -> None:
    _checked("prctl", _libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0))


def clone_mounts(path: str) -> int:
    """The tree of mounts at `path`, attached nowhere: open_tree(2)."""
    flags = OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC
    return _system(f"open_tree {path}", SYS_OPEN_TREE, AT_FDCWD, path.encode(), ctypes.c_uint(flags))


def map_owners(tree: int, user_namespace: int) -> None:
    """Let a tree that is attached nowhere yet show its files' owners as the user namespace maps them, and take new
    files the other way round: mount_setattr(2). Not every file system can."""
    attributes = struct.pack("=QQQQ", MOUNT_ATTR_IDMAP, 0, 0, user_namespace)
    flags = ctypes.c_uint(AT_EMPTY_PATH | AT_RECURSIVE)
    _system("mount_setattr", SYS_MOUNT_SETATTR, tree, b"", flags, attributes, ctypes.c_size_t(len(attributes)))


def attach(tree: int, path: str) -> None:
    flags = ctypes.c_uint(MOVE_MOUNT_F_EMPTY_PATH)
    _system(f"move_mount {path}", SYS_MOVE_MOUNT, tree, b"", AT_FDCWD, path.encode(), flags)


def keep_to_own_abstract_sockets() -> None:
    """This process and its children can connect to no abstract Unix socket but their own: landlock(7), Linux 6.12."""
    ruleset = struct.pack("=QQQ", 0, 0, LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
    size = ctypes.c_size_t(len(ruleset))
    fd = _system("landlock_create_ruleset", SYS_LANDLOCK_CREATE_RULESET, ruleset, size, ctypes.c_uint(0))
    try:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        _system("landlock_restrict_self", SYS_LANDLOCK_RESTRICT_SELF, fd, ctypes.c_uint(0))
    finally:
        os.close(fd)


def _system(what: str, number: int, *arguments: object) -> int:
    return _checked(what, _libc.syscall(ctypes.c_long(number), *arguments))


def _checked(what: str, result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
