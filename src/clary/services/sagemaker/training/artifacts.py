"""One archive of what all instances of a job left.

SageMaker aggregates `/opt/ml/model` of all containers, and `/opt/ml/output/data`, into one archive each, and asks that
names do not clash. Where they do, the file of the instance with the lowest number is kept.
"""

import os
import tarfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from clary.instance.data.packing import GZIP_LEVEL


def merge(archives: Sequence[Path], result: Path) -> list[list[str]]:
    """Write the members of the `.tar.gz` files into one, `result`; returns for each of them the names that were left
    out because an earlier one had them."""
    taken: dict[PurePosixPath, bool] = {}
    with open(result, "wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=GZIP_LEVEL) as merged:
            left_out = [_add(archive, merged, taken) for archive in archives]
        file.flush()
        os.fsync(file.fileno())
    return left_out


def _add(archive: Path, merged: tarfile.TarFile, taken: dict[PurePosixPath, bool]) -> list[str]:
    """`taken`: path → whether it is a directory."""
    left_out = []
    with tarfile.open(archive) as source:
        for member in source:
            path = PurePosixPath(member.name)
            if path in taken or not all(taken.get(parent, True) for parent in path.parents):
                if not (member.isdir() and taken.get(path, False)):
                    left_out.append(member.name)
                continue
            taken[path] = member.isdir()
            content = source.extractfile(member) if member.isreg() or member.islnk() else None
            if content is not None and member.islnk():
                # The file that it is another name of may be one of those that are left out.
                size = content.seek(0, os.SEEK_END)
                content.seek(0)
                member.type, member.size, member.linkname = tarfile.REGTYPE, size, ""
            merged.addfile(member, content)
    return left_out
