"""What is installed below a layer, told to uv in the layer itself.

uv looks for what is installed in one environment only, and a layer lies on top of another. For as long as it installs,
the layer therefore holds the metadata of what lies below, as if it were its own: uv then leaves alone what satisfies
the requirements, and puts into the layer what does not. What it replaces has no files here, which it does not mind.
"""

from __future__ import annotations

import os
import shutil

from clary.instance.data.packing import is_plain_directory

INSTALLER = "clary-borrowed"
"""In the place where an installer writes its name (PEP 376)."""


def borrow(below: str, site: str) -> None:
    """Both are `site-packages` directories."""
    if not os.path.isdir(below):
        return
    for name in os.listdir(below):
        metadata = f"{below}/{name}/METADATA"
        if name.endswith(".dist-info") and os.path.isfile(metadata):
            directory = f"{site}/{name}"
            os.mkdir(directory)
            shutil.copyfile(metadata, f"{directory}/METADATA")
            _write(f"{directory}/INSTALLER", INSTALLER)
            _write(f"{directory}/RECORD", "".join(f"{name}/{file},,\n" for file in ("METADATA", "INSTALLER", "RECORD")))


def give_back(site: str, layer: str) -> None:
    """Remove what is still borrowed. Foreign code could write here meanwhile: no link is followed."""
    if not is_plain_directory(site, layer):
        return
    for name in os.listdir(site):
        directory = f"{site}/{name}"
        if name.endswith(".dist-info") and not os.path.islink(directory) and _installer(directory) == INSTALLER:
            shutil.rmtree(directory, ignore_errors=True)


def _installer(directory: str) -> str:
    try:
        # It may be a fifo that nobody feeds.
        fd = os.open(f"{directory}/INSTALLER", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with open(fd, encoding="utf-8", errors="replace") as file:
        return file.read(len(INSTALLER))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
