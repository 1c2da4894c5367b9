"""Whom an image's `User` means, by its own `/etc/passwd` and `/etc/group`: passwd(5), group(5)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from clary.instance.errors import Refused
from clary.instance.own_images.rootfs import resolve

LARGEST = 1024 * 1024
"""Bytes that are read of either file."""
MOST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Account:
    uid: int = 0
    gid: int = 0
    home: str = "/root"


def find_account(root: str, user: str) -> Account:
    """`user` is as `Config.user`; an id need not have an account. Raises `Refused` for an unknown name."""
    name, _, group = (user or "0").partition(":")
    known = next((entry for entry in _entries(root, "/etc/passwd", 7) if _is(entry, name)), None)
    if known:
        account = Account(_id(known[2], user), _id(known[3], user), known[5] or "/")
    elif name.isdigit():
        account = Account(_id(name, user), 0, "/root" if int(name) == 0 else "/")
    else:
        raise Refused(f"ClientError: the image runs as {user!r}, and its /etc/passwd has no user {name!r}.")
    if not group:
        return account
    named = next((entry[2] for entry in _entries(root, "/etc/group", 4) if entry[0] == group), group)
    return Account(account.uid, _id(named, user), account.home)


def _entries(root: str, path: str, fields: int) -> Iterator[list[str]]:
    try:
        fd = os.open(resolve(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return
    with open(fd, encoding="utf-8", errors="replace") as file:
        if stat.S_ISREG(os.fstat(fd).st_mode):
            entries = (line.rstrip("\n").split(":") for line in file.read(LARGEST).splitlines())
            yield from (entry for entry in entries if len(entry) == fields)


def _is(entry: list[str], name: str) -> bool:
    return name in (entry[0], entry[2])


def _id(text: str, user: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MOST):
        raise Refused(f"ClientError: the image runs as {user!r}, and {text!r} is no id of a user or group.")
    return int(text)
