"""One layer of an image, unpacked into a directory of its own and never changed after.

    tar archive ─▶ <directory>/files/    what the layer holds
                   <directory>/layer.json    what it takes away from the layers below, and how it is to lie over them

Formats are those of the OCI image specification ("Image Layer Filesystem Changeset"). Owners are the agent's user:
who they are in the sandbox is the sandbox's business. Devices, fifos and setuid bits are left out. Nothing is written
outside of `files`, whatever the archive's names and links say.
"""

from __future__ import annotations

import json
import os
import stat
import tarfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from clary.files import write_atomically
from clary.instance.errors import Refused, StopAsked
from clary.instance.own_images.rootfs import inside, make_directories, remove, resolve
from clary.instance.own_images.tarball import CHUNK, Tape, limit_of, unpacked

FILES, LAYER = "files", "layer.json"
WHITEOUT, OPAQUE, AUFS = ".wh.", ".wh..wh..opq", ".wh..wh."


@dataclass(slots=True)
class Notes:
    """`layer.json`. Paths are relative to `files`."""

    whiteouts: list[str] = field(default_factory=list)
    """What of the layers below is gone."""
    opaque: list[str] = field(default_factory=list)
    """Directories that hide all that the layers below have in them."""
    implied: list[str] = field(default_factory=list)
    """Directories that no entry speaks of, but entries for files in them."""
    size: int = 0
    left_out: int = 0
    """Devices and fifos."""

    @classmethod
    def of(cls, directory: str) -> Notes:
        with open(f"{directory}/{LAYER}", encoding="utf-8") as file:
            return cls(**json.loads(file.read()))


def unpack_layer(blob: str, diff_id: str, directory: str, check: Callable[[], None]) -> None:
    """`blob` is a file whose own digest has been checked; `diff_id` that of the archive in it. Raises `Refused`."""
    unpacking = Unpacking(f"{directory}/{FILES}")
    try:
        with unpacked(blob) as source:
            tape = Tape(source, limit_of(blob), check)
            unpacking.run(tape)
            found = tape.finish()
    except (Refused, StopAsked):
        raise
    except Exception as error:
        # Whatever a hostile archive makes `tarfile` raise, or a file system refuse.
        raise Refused(f"ClientError: the image's layer {diff_id} cannot be unpacked: {error}.") from error
    if found != diff_id:
        raise Refused(f"ClientError: the image's layer {diff_id} is another one: its digest, unpacked, is {found}.")
    write_atomically(f"{directory}/{LAYER}", json.dumps(asdict(unpacking.notes)), durable=True)


class Unpacking:
    def __init__(self, root: str) -> None:
        self._root = root
        self.notes = Notes()
        self._parents: dict[str, str] = {}
        """Name of a directory in the archive → where it lies."""
        self._implied: set[str] = set()
        os.mkdir(root, 0o755)

    def run(self, tape: Tape) -> None:
        archive = tarfile.TarFile(fileobj=tape)  # type: ignore[arg-type]  # it reads, seeks and tells
        while (member := archive.next()) is not None:
            self._place(member, tape)
            # Or they would all be kept.
            archive.members.clear()  # type: ignore[attr-defined]
        self.notes.implied = sorted(self._relative(path) for path in self._implied)

    def _place(self, member: tarfile.TarInfo, tape: Tape) -> None:
        parts = inside(member.name, "a file")
        if not parts:
            return
        *above, base = parts
        if base.startswith(WHITEOUT):
            self._take_away("/".join(above), base)
            return
        path = f"{self._parent('/'.join(above))}/{base}"
        if member.isdir():
            self._directory(path, member)
        elif member.issym():
            self._make_way(path)
            os.symlink(member.linkname, path)
        elif member.islnk():
            self._link(path, member.linkname)
        elif member.isreg():
            self._make_way(path)
            self._file(path, member, tape)
        else:
            self.notes.left_out += 1

    def _take_away(self, above: str, base: str) -> None:
        parent = self._relative(resolve(self._root, above))
        if base == OPAQUE:
            self.notes.opaque.append(parent)
        elif not base.startswith(AUFS):
            (name,) = inside(base[len(WHITEOUT) :], "a whiteout of")
            self.notes.whiteouts.append(f"{parent}/{name}".strip("/"))

    def _parent(self, name: str) -> str:
        if name not in self._parents:
            path = resolve(self._root, name)
            self._implied.update(make_directories(self._root, path))
            self._parents[name] = path
        return self._parents[name]

    def _directory(self, path: str, member: tarfile.TarInfo) -> None:
        if os.path.islink(path) or not os.path.isdir(path):
            self._make_way(path)
            os.mkdir(path)
        self._implied.discard(path)
        # Whoever unpacks, or removes it, has to be able to go in, whoever that is.
        os.chmod(path, member.mode & 0o1777 | 0o700)

    def _link(self, path: str, linkname: str) -> None:
        *above, base = inside(linkname, "a hard link to") or [""]
        target = f"{resolve(self._root, '/'.join(above))}/{base}"
        if not base or stat.S_IFMT(_mode(target)) not in (stat.S_IFREG, stat.S_IFLNK):
            raise Refused(f"ClientError: the image has a hard link to {linkname!r}, which is no file of its layer.")
        if target != path:
            self._make_way(path)
            os.link(target, path, follow_symlinks=False)

    def _file(self, path: str, member: tarfile.TarInfo, tape: Tape) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            tape.seek(member.offset_data)
            # The parts of a file with holes: where they go, and how long they are.
            parts = getattr(member, "sparse", None)
            for offset, size in parts or [(0, member.size)]:
                os.lseek(fd, offset, os.SEEK_SET)
                _copy(tape, fd, size)
            if parts:
                os.ftruncate(fd, member.size)
            os.fchmod(fd, member.mode & 0o777)
            # What was compiled from a file is known by its time.
            os.utime(fd, (member.mtime, member.mtime))
        finally:
            os.close(fd)
        self.notes.size += member.size

    def _make_way(self, path: str) -> None:
        """A later entry of the same name takes the place of an earlier one."""
        if os.path.lexists(path):
            remove(path)
            self._parents.clear()
            self._implied = {other for other in self._implied if other != path and not other.startswith(f"{path}/")}

    def _relative(self, path: str) -> str:
        return path[len(self._root) + 1 :]


def _copy(tape: Tape, fd: int, size: int) -> None:
    while size:
        data = tape.read(min(size, CHUNK))
        if not data:
            raise EOFError("it ends in the middle of a file")
        size -= len(data)
        while data:
            data = data[os.write(fd, data) :]


def _mode(path: str) -> int:
    try:
        return os.lstat(path).st_mode
    except OSError:
        return 0
