"""Small files written so that a reader, or a crash at any moment, sees the old text or the new one, never half.

Standard library only: instances are started with it too.
"""

import contextlib
import os
import threading


def write_atomically(path: str, text: str, *, durable: bool = False) -> None:
    """Readable by its owner alone. `durable` also survives a power cut, at the price of two fsyncs."""
    fresh = _write_beside(path, text.encode(), durable)
    os.replace(fresh, path)
    if durable:
        sync_directory(os.path.dirname(path))


def create_atomically(path: str, content: bytes) -> None:
    """The same, durably, where there is no such file; one that has come to be there is kept."""
    fresh = _write_beside(path, content, durable=True)
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    os.unlink(fresh)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_beside(path: str, content: bytes, durable: bool) -> str:
    # Two processes, or two threads, may write the same file.
    fresh = f"{path}.{threading.get_native_id()}.new"
    # Never through what is there already: the directory may be one that foreign code could write to.
    with contextlib.suppress(FileNotFoundError):
        os.unlink(fresh)
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(fd, "wb") as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(fd)
    return fresh
