"""`clary env`, read back by the shells that will evaluate it."""

import json
import shutil
import subprocess

import pytest

from tests.cli.conftest import Clary


def evaluated(shell: str, exports: str) -> dict[str, str]:
    """The environment that `shell` has after evaluating `exports`."""
    shown = subprocess.run(
        [shell, "-c", f"{exports}\nenv -0"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    return dict(entry.split("=", 1) for entry in shown.stdout.rstrip("\0").split("\0"))


@pytest.mark.parametrize(("shell", "option"), [("sh", "sh"), ("bash", "sh"), ("fish", "fish")])
def test_exports_survive_the_shell(shell: str, option: str, clary: Clary, keys: tuple[str, str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    result = clary("env", "--shell", option, CLARY_PORT="7373")
    variables = evaluated(shell, result.stdout)
    assert variables["AWS_ENDPOINT_URL"] == "http://127.0.0.1:7373"
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]) == keys
    assert variables["AWS_DEFAULT_REGION"] == variables["AWS_REGION"] == "us-east-1"
    assert variables["SAGEMAKER_USER_CONFIG_OVERRIDE"] == str(clary.state / "sagemaker-config.yaml")


def test_json_has_the_same_variables(clary: Clary, keys: tuple[str, str]) -> None:
    variables = json.loads(clary("env", "--shell", "json").stdout)
    assert (variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"]) == keys
    exported = evaluated("sh", clary("env").stdout)
    assert variables.items() <= exported.items()


@pytest.mark.usefixtures("keys")
def test_settings_reach_the_client(clary: Clary) -> None:
    result = clary("env", "--shell", "json", CLARY_REGION="eu-west-1", CLARY_S3_ENDPOINT="http://127.0.0.1:8333")
    variables = json.loads(result.stdout)
    assert variables["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert variables["AWS_ENDPOINT_URL_S3"] == "http://127.0.0.1:8333"


@pytest.mark.usefixtures("keys")
def test_the_sdk_configuration_names_bucket_and_role(clary: Clary) -> None:
    clary("env", CLARY_REGION="eu-west-1", CLARY_ACCOUNT="210987654321")
    config = json.loads((clary.state / "sagemaker-config.yaml").read_text())
    modules = config["SageMaker"]["PythonSDK"]["Modules"]
    assert modules["Session"]["DefaultS3Bucket"] == "sagemaker-eu-west-1-210987654321"
    assert modules["TelemetryOptOut"] is True
    assert config["SageMaker"]["TrainingJob"]["RoleArn"].startswith("arn:aws:iam::210987654321:role/")


@pytest.mark.usefixtures("keys")
def test_variables_of_a_real_account_are_unset(clary: Clary) -> None:
    exports = clary("env", AWS_PROFILE="work", AWS_SESSION_TOKEN="token").stdout
    assert exports.startswith("unset AWS_SESSION_TOKEN\nunset AWS_PROFILE\nexport ")


@pytest.mark.usefixtures("keys")
def test_the_users_proxy_exceptions_are_kept(clary: Clary) -> None:
    variables = json.loads(clary("env", "--shell", "json", NO_PROXY="intranet,localhost").stdout)
    assert variables["NO_PROXY"] == variables["no_proxy"] == "intranet,localhost,127.0.0.1,::1"


def test_before_the_first_start_nothing_is_exported(clary: Clary) -> None:
    result = clary("env")
    assert result.returncode == 1
    assert result.stdout == ""
    assert f"There are no keys in {clary.state}" in result.stderr
    assert "clary up --detach" in result.stderr


@pytest.mark.parametrize("content", ["no keys here\n", "[default]\naws_access_key_id = AKIA\n"])
def test_keys_that_cannot_be_read_are_said(clary: Clary, content: str) -> None:
    clary.state.mkdir()
    (clary.state / "credentials").write_text(content)
    result = clary("env")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"clary: {clary.state / 'credentials'} holds no keys")
