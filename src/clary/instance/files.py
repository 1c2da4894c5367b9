"""Small files written so that a reader, or a crash at any moment, sees the old text or the new one, never half."""

import contextlib
import os


def write_atomically(path: str, text: str, *, durable: bool = False) -> None:
    """`durable` also survives a power cut, at the price of two fsyncs."""
    fresh = f"{path}.new"
    # Never through what is there already: the directory may be one that foreign code could write to.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(fd)
    os.replace(fresh, path)
    if durable:
        sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
