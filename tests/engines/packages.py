"""Wheels for tests, made by hand: an archive with metadata."""

import os
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


STAND_INS = {"boto3": "1.0", "requests": "1.0", "pip": "1.0", "wheel": "1.0", "numpy": "1.0", "scipy": "1.0"}
STAND_INS |= {"pandas": "1.0", "joblib": "1.0", "setuptools": "70.0", "httptools": "0.6.4", "uvloop": "0.20"}


def scikit_learn_stand_ins(directory: Path, version: str) -> dict[str, str]:
    """Wheels of what scikit-learn's images are made of: names and versions, no contents. Returns the variables of a
    machine whose pip knows them and nothing else."""
    directory.mkdir()
    for name, release in {**STAND_INS, "scikit_learn": version}.items():
        wheel(directory, name, 1, version=release)
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(directory), "PIP_CONFIG_FILE": os.devnull}
