"""Script-mode training: `python -m clary.toolkits.train`.

    TrainingEnvironment → command → the script, as a process of its own → exit code, /opt/ml/output/failure

The script's output goes through one pipe, so that its lines keep their order and the exception that ended
it is at hand for the failure reason. SIGTERM goes on to the script; how long it may take is the platform's
to decide.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys

from clary.toolkits.distribution import launch
from clary.toolkits.entry_point import ClientError, CommandError, command_of
from clary.toolkits.environment import INFO, TrainingEnvironment
from clary.toolkits.layout import opt_ml, report_failure

TAIL = 64 * 1024
"""Bytes of output kept in search of the exception that ended the script."""

REASON = 700
"""Characters of it in the failure reason, of which the platform shows 1,024 in all."""

LAUNCHER_ERROR = "torch.distributed.elastic.multiprocessing.errors.ChildFailedError"
"""What torchrun raises when a script that it started has failed, after the script's own traceback."""

MPIRUN_RULE = re.compile(r"^-{70,}$.*", re.MULTILINE | re.DOTALL)
"""What mpirun has to say of it comes between two of these."""

LAUNCHER_LINE = re.compile(r"^[EWI]\d{4} .*\n?", re.MULTILINE)
"""What torchrun logs."""


def main() -> int:
    environment = TrainingEnvironment()
    try:
        code = _code_directory(environment)
        command, peers = launch(environment, command_of(environment.program, code, environment.arguments))
        variables = {**peers, **environment.variables()}
        if environment.log_level <= INFO:
            _announce(environment, command)
        _run(command, code, variables)
    except ClientError as error:
        report_failure(str(error))
        print(error, file=sys.stderr)
        return 1
    return 0


def _code_directory(environment: TrainingEnvironment) -> str:
    """The unpacked source: `/opt/ml/code`, unless it is empty and the job names a directory of the image."""
    code = opt_ml("code")
    if os.path.isdir(code) and os.listdir(code):
        return code
    if os.path.isdir(environment.submit_directory):
        return environment.submit_directory
    raise ClientError(f"There is no source to run {environment.program or 'a program'} from: {code} is empty.")


def _announce(environment: TrainingEnvironment, command: list[str]) -> None:
    print(f"Training environment:\n{json.dumps(environment.facts, indent=4)}\n")
    print(f"Invoking script with the following command:\n\n{' '.join(command)}\n", flush=True)


def _run(command: list[str], code: str, variables: dict[str, str]) -> None:
    """Run the script to its end; raises `CommandError` where it failed of its own accord."""
    search = os.pathsep.join(filter(None, [code, os.environ.get("PYTHONPATH")]))
    script = subprocess.Popen(
        command,
        cwd=code,
        env={**os.environ, **variables, "PYTHONPATH": search, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    stopped = False

    def forward(signum: int, _frame: object) -> None:
        nonlocal stopped
        stopped = True
        script.send_signal(signum)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    tail = _relay(script)
    exit_code = script.wait()
    if stopped:
        sys.exit(exit_code if exit_code >= 0 else 128 - exit_code)
    if exit_code:
        killed = "OutOfMemory: Process killed by SIGKILL (signal 9)" if exit_code in (-9, 137) else ""
        message = last_exception(tail.decode(errors="replace"))
        raise CommandError("ExecuteUserScriptError", command, exit_code, message, killed)


def _relay(script: subprocess.Popen[bytes]) -> bytes:
    """Pass the script's output on until it exits; its last bytes. Does not wait for what it left running."""
    assert script.stdout is not None
    pipe = script.stdout.fileno()
    exited = os.pidfd_open(script.pid)
    poll = select.poll()
    poll.register(pipe, select.POLLIN)
    poll.register(exited, select.POLLIN)
    tail = b""
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if pipe in ready:
            chunk = os.read(pipe, TAIL)
            tail = (tail + chunk)[-TAIL:]
            sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            if chunk:
                continue
            poll.unregister(pipe)
        if exited in ready:
            os.close(exited)
            return tail


def last_exception(output: str) -> str:
    """The message of the exception that ended a script, or its last line where it printed no traceback."""
    output = MPIRUN_RULE.sub("", output)
    head, found, trace = output.rpartition("Traceback (most recent call last):\n")
    if found and LAUNCHER_ERROR in trace:
        return last_exception(LAUNCHER_LINE.sub("", head))
    lines = [line for line in trace.splitlines() if line.strip()]
    if found:
        # Frames and their source lines are indented: the message begins at the first line that is not.
        while lines and lines[0][0].isspace():
            lines.pop(0)
        return "\n".join(lines)[:REASON]
    return lines[-1][-REASON:] if lines else ""


if __name__ == "__main__":
    sys.exit(main())
