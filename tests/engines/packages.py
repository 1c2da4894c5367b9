"""Wheels for tests, made by hand: an archive with metadata."""

import zipfile
from pathlib import Path


def wheel(directory: Path, name: str, answer: int, requires: str = "", version: str = "1.0") -> Path:
    """A package whose module `name` has `ANSWER`, and a console script of the same name that prints it."""
    path = directory / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"ANSWER = {answer}\ndef main():\n    print(ANSWER)\n")
        archive.writestr(f"{info}/METADATA", metadata + (f"Requires-Dist: {requires}\n" if requires else ""))
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path
