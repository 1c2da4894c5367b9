"""The script-mode runner as a process, on a real `/opt/ml` directory tree."""

import json
import os
import signal

import pytest

from clary.toolkits.train import last_exception
from tests.toolkits.container import Container

TRAIN = "clary.toolkits.train"
REPORT = """
import json, os, sys
seen = {"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd()}
json.dump(seen, open(os.environ["SM_MODEL_DIR"] + "/report", "w"))
"""


def report(container: Container) -> dict[str, object]:
    return json.loads((container.root / "model/report").read_text())


def test_hyperparameters_of_the_sdk_become_arguments_and_variables(container: Container) -> None:
    container.code("train.py", REPORT)
    container.configure(
        "hyperparameters",
        {
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": '"s3://bucket/sourcedir.tar.gz"',
            "sagemaker_container_log_level": "20",
            "sagemaker_job_name": '"job-1"',
            "sagemaker_region": '"eu-west-1"',
            "sagemaker_mpi_enabled": "false",
            "n-estimators": "100",
            "rate": "0.1",
            "flag": "true",
            "nothing": "null",
            "empty": '""',
            "name": '"text with spaces"',
            "map": '{"b": 2, "a": 1}',
            "x": "[1, 2]",
        },
    )
    container.configure("inputdataconfig", {"train": {"TrainingInputMode": "File"}, "my-data": {}})
    status, output = container.run(TRAIN)
    assert status == 0, output
    seen = report(container)
    arguments = ["--empty", "", "--flag", "True", "--map", "a=1,b=2", "--n-estimators", "100"]
    arguments += ["--name", "text with spaces", "--nothing", "", "--rate", "0.1", "-x", "[1, 2]"]
    assert seen["argv"] == ["train.py", *arguments]
    assert seen["cwd"] == str(container.root / "code")
    env = seen["env"]
    assert env["SM_CHANNELS"] == '["my-data","train"]'
    assert env["SM_CHANNEL_TRAIN"] == str(container.root / "input/data/train")
    assert env["SM_CHANNEL_MY-DATA"] == str(container.root / "input/data/my-data")
    assert env["SM_HP_N-ESTIMATORS"] == "100"
    assert env["SM_HP_NAME"] == "text with spaces"
    assert env["SM_HP_NOTHING"] == ""
    assert json.loads(env["SM_HPS"])["map"] == {"a": 1, "b": 2}
    assert json.loads(env["SM_USER_ARGS"]) == arguments
    assert json.loads(env["SM_FRAMEWORK_PARAMS"]) == {"sagemaker_mpi_enabled": False}
    assert env["SM_HOSTS"] == '["algo-1"]'
    assert env["SM_CURRENT_HOST"] == env["CURRENT_HOST"] == "algo-1"
    assert env["SM_CURRENT_INSTANCE_TYPE"] == "ml.m5.large"
    assert env["SM_NETWORK_INTERFACE_NAME"] == "eth0"
    assert env["SM_OUTPUT_DATA_DIR"] == str(container.root / "output/data")
    assert env["SM_INPUT_CONFIG_DIR"] == str(container.root / "input/config")
    assert env["SM_USER_ENTRY_POINT"] == "train.py"
    assert env["SM_MODULE_NAME"] == "train"
    assert env["SM_MODULE_DIR"] == "s3://bucket/sourcedir.tar.gz"
    assert env["SAGEMAKER_JOB_NAME"] == "job-1"
    assert env["SAGEMAKER_REGION"] == "eu-west-1"
    assert int(env["SM_NUM_CPUS"]) >= 1
    training = json.loads(env["SM_TRAINING_ENV"])
    assert training["hyperparameters"]["rate"] == 0.1
    assert training["job_name"] == "job-1"
    assert training["is_master"] is True


def test_plain_strings_and_a_program_from_the_environment(container: Container) -> None:
    container.code("main.py", REPORT)
    container.configure("hyperparameters", {"name": "plain", "rate": "1e-3"})
    status, output = container.run(TRAIN, SAGEMAKER_PROGRAM="main.py")
    assert status == 0, output
    assert report(container)["argv"] == ["main.py", "--name", "plain", "--rate", "0.001"]


def test_shell_entry_point_gets_its_arguments_unharmed(container: Container) -> None:
    container.code("train.sh", '#!/bin/sh\nprintf "%s\\n" "$@" > "$SM_MODEL_DIR/report"\n')
    container.configure("hyperparameters", {"sagemaker_program": "train.sh", "q": "a b; touch $HOME 'c'"})
    status, output = container.run(TRAIN)
    assert status == 0, output
    assert (container.root / "model/report").read_text() == "-q\na b; touch $HOME 'c'\n"


def test_package_is_installed_and_run_as_a_module(container: Container) -> None:
    container.code("setup.py", "from setuptools import setup\nsetup(name='thing', py_modules=['thing'])\n")
    container.code("thing.py", REPORT)
    container.configure("hyperparameters", {"sagemaker_program": "thing.py", "rounds": "3"})
    status, output = container.run(TRAIN)
    assert status == 0, output
    assert report(container)["argv"][1:] == ["--rounds", "3"]


def test_exception_is_the_failure_reason(container: Container) -> None:
    container.code("train.py", "import sys\nprint('fine so far')\nraise ValueError('no such column: rings')\n")
    container.configure("hyperparameters", {"sagemaker_program": "train.py", "x": "1"})
    status, output = container.run(TRAIN)
    assert status == 1
    assert "fine so far" in output
    assert "Traceback" in output
    assert container.failure is not None
    lines = container.failure.splitlines()
    assert lines[:3] == [
        "ExecuteUserScriptError:",
        "ExitCode 1",
        'ErrorMessage "ValueError: no such column: rings"',
    ]
    assert lines[3].startswith('Command "')
    assert lines[3].endswith(' train.py -x 1"')


def test_exit_status_without_exception_and_own_failure_file(container: Container) -> None:
    container.code("train.py", "import sys\nprint('bad data in row 7')\nsys.exit(4)\n")
    container.configure("hyperparameters", {"sagemaker_program": "train.py"})
    assert container.run(TRAIN)[0] == 1
    assert container.failure is not None
    assert 'ExitCode 4\nErrorMessage "bad data in row 7"' in container.failure
    (container.root / "output/failure").write_text("mine")
    container.run(TRAIN)
    assert container.failure == "mine"


def test_killed_script_reads_as_out_of_memory(container: Container) -> None:
    container.code("train.py", "import os\nos.kill(os.getpid(), 9)\n")
    container.configure("hyperparameters", {"sagemaker_program": "train.py"})
    assert container.run(TRAIN)[0] == 1
    assert container.failure is not None
    assert 'ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' in container.failure


@pytest.mark.parametrize("program", ["", "../train.py", "/bin/sh", "-c", "a b.py", "$(id).sh"])
def test_names_that_are_no_program_are_refused(container: Container, program: str) -> None:
    container.code("train.py", "")
    container.configure("hyperparameters", {"sagemaker_program": json.dumps(program)})
    assert container.run(TRAIN)[0] == 1
    assert container.failure is not None
    assert "sagemaker_program" in container.failure or repr(program) in container.failure


def test_sigterm_reaches_the_script_and_is_no_failure(container: Container) -> None:
    container.code(
        "train.py",
        "import os, signal, sys\n"
        "def save(*_):\n    open(os.environ['SM_MODEL_DIR'] + '/saved', 'w').close()\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, save)\nprint('ready')\nsignal.pause()\n",
    )
    container.configure("hyperparameters", {"sagemaker_program": "train.py"})
    process = container.start(TRAIN)
    assert process.stdout is not None
    assert "ready\n" in iter(process.stdout.readline, "")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (container.root / "model/saved").exists()
    assert container.failure is None


def test_a_process_left_behind_does_not_hold_the_job(container: Container) -> None:
    container.code("train.py", "import subprocess\nprint(subprocess.Popen(['sleep', '300']).pid)\n")
    container.configure("hyperparameters", {"sagemaker_program": "train.py", "sagemaker_container_log_level": "40"})
    process = container.start(TRAIN)
    assert process.stdout is not None
    left = int(process.stdout.readline())
    assert process.wait(timeout=30) == 0
    os.kill(left, signal.SIGKILL)


def test_last_exception_keeps_a_message_of_many_lines() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\n    raise E\nE: one\n two\n'
    assert last_exception("noise\n" + trace) == "E: one\n two"
    assert last_exception("") == ""
