"""The Python interpreters of this machine that environments of images can be made from.

Those of the search path, and those that uv and pyenv put into the user's home; Clary's own is always among them.
"""

import functools
import glob
import os
import shutil
import sys

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
"""Those that `clary.toolkits` runs on, which are what `images` is asked for."""
HOMES = ("~/.local/share/uv/python/*/bin/python{}", "~/.pyenv/versions/{}.*/bin/python{}")


@functools.cache
def find_interpreters() -> dict[str, str]:
    """Version → path, Clary's own first."""
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    found = {own: os.path.realpath(sys.executable)}
    for version in VERSIONS:
        if version in found:
            continue
        path = next(filter(_is_program, _candidates(version)), "")
        if path:
            found[version] = os.path.realpath(path)
    return found


def _candidates(version: str) -> list[str]:
    on_path = shutil.which(f"python{version}")
    homes = [path for home in HOMES for path in glob.glob(os.path.expanduser(home.replace("{}", version)))]
    return [*([on_path] if on_path else []), *sorted(homes, reverse=True)]


def _is_program(path: str) -> bool:
    """Not a script that starts whichever interpreter it thinks right."""
    with open(path, "rb") as file:
        return file.read(4) == b"\x7fELF"
