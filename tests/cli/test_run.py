"""`clary run` with real programs and a real platform."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import COMMAND, Clary

WAIT_FOR_SIGNAL = """
import signal, sys
def handle(number, frame):
    print(signal.Signals(number).name, flush=True)
    sys.exit(3)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
    signal.signal(number, handle)
print("ready", flush=True)
while True:
    signal.pause()
"""

COUNT_INTERRUPTS = """
import os, signal
interrupts = []
def interrupt(number, frame):
    interrupts.append(number)
    print("interrupted", flush=True)
signal.signal(signal.SIGINT, interrupt)
signal.signal(signal.SIGUSR1, lambda *_: os._exit(len(interrupts)))
print("ready", flush=True)
while True:
    signal.pause()
"""

PUBLIC_STS = """
import boto3
sts = boto3.client("sts", region_name="eu-west-1", endpoint_url="https://sts.eu-west-1.amazonaws.com")
print(sts.get_caller_identity()["Account"])
"""

VIRTUAL_HOST_S3 = """
import boto3, os
from botocore.config import Config
s3 = boto3.client(
    "s3", endpoint_url="https://s3.us-east-1.amazonaws.com", config=Config(s3={"addressing_style": "virtual"})
)
s3.create_bucket(Bucket="clary.run-test")
body = os.urandom(3_000_000)
s3.put_object(Bucket="clary.run-test", Key="a b/c", Body=body)
answer = s3.get_object(Bucket="clary.run-test", Key="a b/c")
assert answer["Body"].read() == body
print(answer["ResponseMetadata"]["HTTPStatusCode"])
"""

WITHOUT_ENDPOINT = """
import boto3, os
del os.environ["AWS_ENDPOINT_URL"]
sagemaker = boto3.client("sagemaker", region_name="ap-southeast-2")
print(sagemaker.meta.endpoint_url, sagemaker.list_training_jobs()["TrainingJobSummaries"])
"""


def python(running: Clary, program: str, **variables: str) -> str:
    """What a Python program prints under `clary run`."""
    result = running("run", "--", sys.executable, "-c", program, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_sts_at_its_public_address(running: Clary) -> None:
    assert python(running, PUBLIC_STS) == "123456789012"


def test_s3_with_the_bucket_in_the_host_name(running: Clary) -> None:
    assert python(running, VIRTUAL_HOST_S3) == "200"


def test_any_service_at_its_public_address(running: Clary) -> None:
    assert python(running, WITHOUT_ENDPOINT) == "https://api.sagemaker.ap-southeast-2.amazonaws.com []"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_trusts_it_too(running: Clary) -> None:
    result = running("run", "--", "curl", "-sS", "https://s3.eu-central-1.amazonaws.com/")
    assert "<Code>AccessDenied</Code>" in result.stdout


def test_the_variables_of_the_program(running: Clary) -> None:
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    variables = json.loads(python(running, show, AWS_PROFILE="work", NO_PROXY="amazonaws.com", KEPT="yes"))
    exported = json.loads(running("env", "--shell", "json").stdout)
    assert {**variables, "NO_PROXY": "", "no_proxy": ""}.items() >= {
        **exported,
        "NO_PROXY": "",
        "no_proxy": "",
    }.items()
    assert variables["NO_PROXY"] == variables["no_proxy"] == "127.0.0.1,localhost,::1"
    assert variables["HTTPS_PROXY"] == variables["http_proxy"]
    assert "AWS_PROFILE" not in variables
    assert variables["KEPT"] == "yes"


def test_the_users_own_certificates_stay_trusted(running: Clary, tmp_path: Path) -> None:
    own = tmp_path / "company.pem"
    own.write_text("-----BEGIN CERTIFICATE-----\ncompany\n-----END CERTIFICATE-----\n")
    show = "import os; print(open(os.environ['SSL_CERT_FILE']).read())"
    bundle = python(running, show, REQUESTS_CA_BUNDLE=str(own))
    assert own.read_text() in bundle
    assert bundle.count("BEGIN CERTIFICATE") > 50


def test_arguments_and_exit_code_are_the_programs(running: Clary) -> None:
    check = "import sys; sys.exit(3 if sys.argv[1:] == ['--help', '-x'] else 4)"
    result = running("run", sys.executable, "-c", check, "--help", "-x")
    assert result.returncode == 3


def test_input_is_the_programs(running: Clary) -> None:
    with running.start("run", "--", "cat", stdin=-1) as process:
        assert process.communicate("line\n", timeout=60)[0] == "line\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(running: Clary, number: signal.Signals) -> None:
    with running.start("run", "--", sys.executable, "-c", WAIT_FOR_SIGNAL, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.stdout.read() == f"{number.name}\n"
    assert process.returncode == 3


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_death_by_signal_is_passed_on(running: Clary, number: signal.Signals) -> None:
    assert running("run", "--", "sh", "-c", f"kill -{number.value} $$").returncode == -number


def test_ctrl_c_reaches_the_program_once(running: Clary) -> None:
    child, terminal = os.forkpty()
    if child == 0:
        os.execve(COMMAND, ["clary", "run", "--", sys.executable, "-c", COUNT_INTERRUPTS], running.environment())
    with open(terminal, "r+b", buffering=0) as screen:
        assert screen.readline().strip() == b"ready"
        screen.write(b"\x03")
        assert screen.readline().strip() == b"^Cinterrupted"
        # A second interrupt would reach the program before this does.
        os.kill(child, signal.SIGUSR1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_programs_that_cannot_be_started(running: Clary, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    missing = running("run", "--", "no-such-program")
    assert (missing.returncode, missing.stderr) == (127, "clary: There is no program no-such-program.\n")
    assert running("run", "--", str(tmp_path / "text")).returncode == 126


def test_without_a_platform(clary: Clary) -> None:
    result = clary("run", "--", "true")
    assert result.returncode == 125
    assert "Start it with: clary up --detach" in result.stderr


def test_up_starts_one(clary: Clary) -> None:
    try:
        result = clary("run", "--up", "--", "sh", "-c", "echo $AWS_ENDPOINT_URL")
        assert result.returncode == 0, result.stderr
        assert result.stdout.strip() == json.loads(clary("status", "--json").stdout)["url"]
    finally:
        clary("down")
