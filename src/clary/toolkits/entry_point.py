"""From the name of the user's program to the command that runs it.

A `.sh` or any other executable runs in a shell, a directory with a `setup.py` is installed and run as a
module, a `.py` file runs as a script.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

SAFE_NAME = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._+-]*(/[A-Za-z0-9._+-]+)*")


class ClientError(Exception):
    """The user's to mend; the text is the failure reason."""


class CommandError(ClientError):
    """A command of the user's ended with an error. Reads as the failure reason that AWS's images write."""

    def __init__(self, kind: str, command: list[str], exit_code: int, message: str, extra: str = "") -> None:
        lines = [f"{kind}:", f"ExitCode {exit_code}", f'ErrorMessage "{message}"']
        if extra:
            lines.append(f'ExtraInfo "{extra}"')
        lines.append(f'Command "{" ".join(command)}"')
        super().__init__("\n".join(lines))


def command_of(program: str, code: str, arguments: list[str]) -> list[str]:
    """The argv that runs `program`, a path relative to the directory `code`. A package is installed first."""
    _check_name(program)
    packaged = os.path.exists(os.path.join(code, "setup.py"))
    if program.endswith(".sh") or not (packaged or program.endswith(".py")):
        script = os.path.join(code, program)
        if os.path.exists(script):
            os.chmod(script, 0o755)
        return ["/bin/sh", "-c", f"./{shlex.quote(program)} {shlex.join(arguments)}".rstrip()]
    if packaged:
        _install(code)
        return [sys.executable, "-m", program.removesuffix(".py").replace("/", "."), *arguments]
    return [sys.executable, program, *arguments]


def _check_name(program: str) -> None:
    """A program lies inside the code directory and cannot read as an option."""
    if not program:
        raise ClientError("No program to run: set the hyperparameter sagemaker_program to the script's name.")
    if not SAFE_NAME.fullmatch(program) or {".", ".."} & set(program.split("/")):
        raise ClientError(
            f"The program {program!r} cannot be used: name a path inside the source directory, "
            "of letters, digits and . _ + - / only, such as train.py or bin/train.sh."
        )


def _install(code: str) -> None:
    """Install the user's package where this job's programs, and no others, find it."""
    target = tempfile.mkdtemp(prefix="package-")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-build-isolation"]
    install = [*pip, "--target", target, "."]
    done = subprocess.run(install, cwd=code, stderr=subprocess.PIPE, text=True, errors="replace")
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise CommandError("InstallModuleError", install, done.returncode, done.stderr.strip()[-600:])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [target, os.environ.get("PYTHONPATH")]))
