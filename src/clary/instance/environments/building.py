"""How an environment is built: resolve → install → compile → image.json.

It is a virtual environment that uv makes, of wheels alone: nothing that it installs is run, so it needs no sandbox. It
is built where it will be used, since console scripts hold absolute paths.
"""

from __future__ import annotations

import os
import re
import shutil
import time

from clary.files import write_atomically
from clary.instance.environments.recipe import Recipe
from clary.instance.environments.store import IMAGE, Ear, Image
from clary.instance.errors import Refused
from clary.instance.node import Tools

NO_SOLUTION = 1
"""uv's exit status where no versions fit; what it could not fetch gives another."""
EXACT, ABOVE, BELOW = "==", ">=", "<="
TORCH = re.compile(r"torch\b")
WHEELS_ONLY = ("--only-binary", ":all:")
UNCOMPILED = r"/tests/|/(pip|setuptools|wheel|pkg_resources)/"
"""Modules that programs seldom import, and that are half of all."""
FETCHED_AHEAD = "It can be pulled ahead of time, where there is a network: clary images pull"


class Build:
    """Of one environment. Whoever runs it holds its lock."""

    def __init__(self, tools: Tools, recipe: Recipe, directory: str, ear: Ear) -> None:
        self._tools = tools
        self._recipe = recipe
        self._directory = directory
        self._ear = ear
        self._lock = f"{directory}/requirements.lock"

    def run(self) -> None:
        recipe, ear = self._recipe, self._ear
        ear.begin()
        if not self._tools.uv:
            raise Refused(f"InternalServerError: The image {recipe.name} cannot be built: uv is not installed.")
        # What an interrupted build left is of no use: its parts are in uv's cache.
        shutil.rmtree(self._directory, ignore_errors=True)
        os.makedirs(self._directory)
        interpreter, version = self._resolve()
        notice = self._notice(interpreter, version)
        if notice:
            ear.say(notice)
        ear.say(f"Downloading the image {recipe.name}: {recipe.title} {version}, {os.path.basename(interpreter)}.")
        self._install(interpreter)
        image = Image(recipe, version, interpreter, time.time(), notice)
        write_atomically(f"{self._directory}/{IMAGE}", image.to_json(), durable=True)

    def _resolve(self) -> tuple[str, str]:
        """Write the versions of everything; returns the interpreter and the version of the image's package.

        The right version on any of the interpreters comes before the nearest on the best of them, and a later one,
        which reads what an earlier one wrote, before an earlier one.
        """
        recipe = self._recipe
        interpreters = recipe.available(self._tools.interpreters)
        errors = []
        for side in (EXACT, ABOVE, BELOW) if recipe.version else (EXACT,):
            for interpreter in interpreters:
                self._ear.check()
                why = self._compile(interpreter, self._requirements(self._asked(side, interpreter)))
                if not why:
                    return interpreter, self._locked(recipe.package)
                errors.append(why)
        raise self._failure(next(filter(None, errors), "there is no interpreter for it"))

    def _requirements(self, asked: str) -> list[str]:
        package = self._recipe.package
        return [*([f"{package}{asked}"] if package else []), *self._recipe.requirements]

    def _asked(self, side: str, interpreter: str) -> str:
        """What is asked of the image's package: the series that is wanted, or the version next after or before it."""
        package, version = self._recipe.package, self._recipe.version
        if side == EXACT or not version:
            return f"=={version}.*" if version else ""
        order = ["--resolution", "lowest-direct"] if side == ABOVE else []
        why = self._compile(interpreter, [f"{package}{side}{version}"], "--no-deps", *order)
        # Where there is none on that side, asking for the same again says so.
        return f"{side}{version}" if why else f"=={self._locked(package)}"

    def _compile(self, interpreter: str, requirements: list[str], *options: str) -> str:
        """Write the versions that go together; returns why none do. Raises `Refused` where that cannot be known."""
        wanted = f"{self._directory}/requirements.in"
        write_atomically(wanted, "\n".join(requirements) + "\n")
        command = ["pip", "compile", "--quiet", *self._wheels(), "--no-header", "--no-annotate", *options]
        command += ["--upgrade", "--python", interpreter, "--output-file", self._lock, wanted]
        code, why = self._uv(*command, *self._backend())
        if code > NO_SOLUTION and self._backend():
            # PyTorch's own indexes cannot be reached: it is looked for in the machine's.
            code, why = self._uv(*command)
        if code > NO_SOLUTION:
            raise self._failure(why)
        return why or "no solution" if code else ""

    def _wheels(self) -> list[str]:
        """Nothing is built but what there are no wheels of."""
        return [*WHEELS_ONLY, *(word for name in self._recipe.sources for word in ("--no-binary", name))]

    def _backend(self) -> list[str]:
        """PyTorch is built for each kind of accelerator, and its index holds those for none too, which are small."""
        needed = (self._recipe.package, *self._recipe.requirements)
        return ["--torch-backend", "auto"] if any(TORCH.match(name) for name in needed) else []

    def _locked(self, package: str) -> str:
        with open(self._lock, encoding="utf-8") as file:
            versions = dict(line.split("==", 1) for line in file.read().split() if "==" in line)
        return versions.get(package, "")

    def _notice(self, interpreter: str, version: str) -> str:
        recipe = self._recipe
        if recipe.matches(version):
            return ""
        return (
            f"{recipe.wanted}, which the image {recipe.name} names, cannot be had for {os.path.basename(interpreter)}: "
            f"{recipe.title} {version} runs in its place."
        )

    def _install(self, interpreter: str) -> None:
        python = f"{self._directory}/bin/python"
        steps = [
            ("venv", "--quiet", "--no-project", "--allow-existing", "--python", interpreter, self._directory),
            ("pip", "install", "--no-deps", *self._wheels(), "--python", python, "-r", self._lock),
        ]
        for step in steps:
            code, why = self._uv(*step, aloud=step[0] == "pip")
            if code:
                raise self._failure(why)
        # Instances cannot keep what they compile. A module that does not compile (of a template, of another version
        # of Python) is no failure.
        library = f"{self._directory}/lib"
        compileall = ["-I", "-S", "-m", "compileall", "-qq", "-j", "0", "-x", UNCOMPILED, library]
        self._ear.run([python, *compileall], self._environment(), aloud=False)

    def _uv(self, *arguments: str, aloud: bool = False) -> tuple[int, str]:
        options = self._tools.options if arguments[0] == "pip" else []
        return self._ear.run([self._tools.uv, *arguments, *options], self._environment(), aloud=aloud)

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "UV_NO_PROGRESS": "1", "NO_COLOR": "1", **self._tools.variables}

    def _failure(self, why: str) -> Refused:
        name = self._recipe.name
        return Refused(
            f"InternalServerError: The image {name} ({self._recipe.wanted}) could not be downloaded: {why.strip()}\n"
            f"{FETCHED_AHEAD} {name}"
        )
