"""What belongs to a Python interpreter, found out by looking at its files: running it would cost what a job may cost.

The layout of virtual environments is that of PEP 405.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass

from clary.instance.errors import Refused


@dataclass(frozen=True, slots=True)
class Interpreter:
    executable: str
    real: str
    """The executable that `executable` links to in the end."""
    prefix: str
    base: str
    """Prefix of the interpreter that a virtual environment was made from; else `prefix` itself."""
    library: str
    """Directory of the standard library below a prefix: `lib/python3.11`."""
    shares_site: bool
    """Whether packages of the base interpreter count as installed."""

    @property
    def bin(self) -> str:
        return os.path.dirname(self.executable)

    @property
    def site(self) -> str:
        return f"{self.prefix}/{self.library}/site-packages"


def inspect(executable: str) -> Interpreter:
    if not os.access(executable, os.X_OK):
        raise Refused(f"The interpreter {executable} is not there or is not executable.")
    real = os.path.realpath(executable)
    prefix = os.path.dirname(os.path.dirname(os.path.abspath(executable)))
    settings = _settings(f"{prefix}/pyvenv.cfg")
    if settings:
        base = os.path.dirname(settings.get("home", os.path.dirname(real)))
        shares_site = settings.get("include-system-site-packages", "false").lower() == "true"
    else:
        prefix = base = os.path.dirname(os.path.dirname(real))
        shares_site = True
    return Interpreter(executable, real, prefix, base, _library(prefix, real), shares_site)


def _settings(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            pairs = [line.partition("=") for line in file]
    except FileNotFoundError:
        return {}
    return {key.strip().lower(): value.strip() for key, _, value in pairs}


def _library(prefix: str, real: str) -> str:
    name = os.path.basename(real)
    if not name.startswith("python3."):
        found = sorted(glob.glob(f"{prefix}/lib/python3.*"))
        name = os.path.basename(found[-1]) if found else "python3"
    return f"lib/{name}"
