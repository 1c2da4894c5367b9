"""Programs of a Clary that is root: how they come to run as a user id of their own, which owns nothing on this machine.

    private mounts ─▶ a bare root with the sandbox's sources, and nothing else ─▶ setuid ─▶ bubblewrap, as any user

Root inside such a sandbox is that user id outside, and nobody to the kernel and to every file of the host. What the
program is to own needs no chown: its mounts are id-mapped (mount_setattr(2)), so that files of root's on the disk are
its own where it sees them, and stay root's on the disk. The bare root is there because a user without rights cannot
walk to sources that lie below a directory of mode 0700, as the state directory does and as root's home does.
"""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Sequence

from clary.instance import libc
from clary.instance.node import View
from clary.instance.sandbox.confinement import limit_processes


class Nobody:
    def __init__(self, uid: int, processes: int) -> None:
        self.uid = uid
        self._processes = processes
        self._namespace = _map_root_to(uid)

    def become(self, view: View, stage: str, groups: Sequence[int]) -> None:
        """Turn this process, which is root's, into one of the user's that sees `view`. `stage` is any directory."""
        libc.unshare(libc.CLONE_NEWNS)
        libc.mount("", "/", "", libc.MS_REC | libc.MS_PRIVATE)
        os.umask(0o022)
        trees = self._trees(view)
        libc.mount("clary", stage, "tmpfs", libc.MS_NOSUID | libc.MS_NODEV, "mode=755,size=1m")
        for link in view.links:
            os.symlink(os.readlink(link), stage + link)
        for path, tree in sorted(trees.items()):
            _make_place(stage + path, stat.S_ISDIR(os.fstat(tree).st_mode))
            libc.attach(tree, stage + path)
            os.close(tree)
        os.chdir(stage)
        # The old root comes to lie over the new one, and is taken away: pivot_root(2), "pivot_root(".", ".")".
        libc.pivot_root(".", ".")
        libc.detach(".")
        os.chdir("/")
        if self._processes:
            limit_processes(self._processes)
        os.setgroups(groups)
        os.setresgid(self.uid, self.uid, self.uid)
        os.setresuid(self.uid, self.uid, self.uid)

    def _trees(self, view: View) -> dict[str, int]:
        trees = {path: self._tree(path, own=False) for path in view.shared if path not in view.own}
        for path in view.own:
            try:
                trees[path] = self._tree(path, own=True)
            except OSError:
                # Not mine, but what others may read is to be read. Whether the instance's own directory can be the
                # program's was found out before (`probe`).
                trees[path] = self._tree(path, own=False)
        return trees

    def _tree(self, path: str, *, own: bool) -> int:
        tree = libc.clone_mounts(path)
        try:
            if own:
                libc.map_owners(tree, self._namespace)
        except OSError:
            os.close(tree)
            raise
        return tree


def _make_place(path: str, directory: bool) -> None:
    """Something to mount on. It is there already where a tree that was attached before holds it."""
    os.makedirs(path if directory else os.path.dirname(path), exist_ok=True)
    if not directory and not os.path.exists(path):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))


def _map_root_to(uid: int) -> int:
    """A user namespace in which `uid` is root; kept by the descriptor, it needs no process."""
    try:
        pid = libc.wait_in(libc.CLONE_NEWUSER)
    except OSError as error:
        raise OSError(f"this machine allows no user namespace: {error}") from error
    try:
        for kind in ("uid", "gid"):
            with open(f"/proc/{pid}/{kind}_map", "w", encoding="ascii") as file:
                file.write(f"0 {uid} 1")
        return os.open(f"/proc/{pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise OSError(f"user id {uid} cannot be mapped here: {error.strerror or error}") from error
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
