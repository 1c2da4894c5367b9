"""Runs jobs of algorithms, each in a process that is forked from this one once it has imported what takes long.

A line of JSON in: the jobs, {"root", "algorithm"} each, with "asked" where a model is to answer: [content type, accept,
body in base64] of each request. A line out, of each job in their order: {"status", "output"}, and the "answers":
[status, body in base64]. A job is the program of `python -m clary.algorithms`, with `root` for its /opt/ml.
"""

import base64
import json
import os
import signal
import sys
import traceback
from importlib import import_module, util
from typing import Any

AT_ONCE = 2
LONGEST = 240
"""Seconds after which a job is ended: it hangs."""
PARTS = ("training", "serving", "scoring")
"""Modules of an algorithm that import what takes long."""


def main() -> None:
    for line in sys.stdin:
        jobs = json.loads(line)
        for name in {job["algorithm"] for job in jobs}:
            prepare(f"clary.algorithms.{name.replace('-', '_')}")
        print(json.dumps(run(jobs)), flush=True)


def prepare(package: str) -> None:
    for part in PARTS:
        if util.find_spec(f"{package}.{part}"):
            import_module(f"{package}.{part}")
    if "torch" in sys.modules:
        import_module("torch._dynamo")  # Which its optimizers import when they are first made.


def run(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    running: dict[int, int] = {}
    found: list[dict[str, Any]] = [{} for _ in jobs]
    waiting = list(enumerate(jobs))
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            number, job = waiting.pop(0)
            running[fork(job)] = number
        pid, status = os.wait()
        number = running.pop(pid)
        found[number] = {"status": os.waitstatus_to_exitcode(status), **kept(jobs[number])}
    return found


def fork(job: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    status = 70
    try:
        with open(printed(job), "wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        signal.alarm(LONGEST)
        os.environ["SAGEMAKER_BASE_DIR"] = job["root"]
        status = answer(job) if "asked" in job else train(job)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def train(job: dict[str, Any]) -> int:
    from clary.algorithms.__main__ import main as program

    sys.argv[1:] = [job["algorithm"], "train"]
    return program()


def answer(job: dict[str, Any]) -> int:
    """What the service says, with no server around it."""
    from clary.algorithms.__main__ import find
    from clary.toolkits.http import Request, Response

    service = find(job["algorithm"]).service()
    service.load(os.path.join(job["root"], "model"))
    answers = []
    for content_type, accept, body in job["asked"]:
        headers = {"content-type": content_type, "accept": accept}
        try:
            response = service.invoke(Request("POST", "/invocations", headers, base64.b64decode(body)))
        except Exception:
            response = Response(traceback.format_exc(), status=500)
        answers.append([response.status, base64.b64encode(response.body).decode()])
    with open(answered(job), "w") as file:
        json.dump(answers, file)
    return 0


def kept(job: dict[str, Any]) -> dict[str, Any]:
    with open(printed(job), errors="replace") as log:
        found: dict[str, Any] = {"output": log.read()}
    if os.path.exists(answered(job)):
        with open(answered(job)) as file:
            found["answers"] = json.load(file)
    return found


def printed(job: dict[str, Any]) -> str:
    return os.path.join(job["root"], "printed")


def answered(job: dict[str, Any]) -> str:
    return os.path.join(job["root"], "answers")


main()
