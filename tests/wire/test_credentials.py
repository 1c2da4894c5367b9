"""The key files, and temporary credentials that are kept nowhere."""

import base64
import re
import stat
import time
from pathlib import Path

import botocore.session
import pytest

from clary.wire.credentials import CorruptCredentials, KeyRing
from clary.wire.errors import ServiceError

ROLE = "arn:aws:sts::123456789012:assumed-role/Role/session"


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing.open(tmp_path)


def test_first_start_makes_keys_of_awss_form(tmp_path: Path, keys: KeyRing) -> None:
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", keys.root.access_key)
    assert len(keys.root.secret) == 40
    assert keys.root.arn is None
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {
        "credentials": 0o600,
        "secret": 0o600,
    }


def test_clients_can_be_pointed_at_the_file(tmp_path: Path, keys: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    found = botocore.session.Session(profile="default").get_credentials()
    assert (found.access_key, found.secret_key) == (keys.root.access_key, keys.root.secret)


def test_two_states_have_different_keys(tmp_path: Path, keys: KeyRing) -> None:
    other = KeyRing.open(tmp_path / "other")
    assert other.root.access_key != keys.root.access_key
    assert other.root.secret != keys.root.secret


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no section",
        "[default]\naws_access_key_id = AKIAEXAMPLEEXAMPLEKE\n",
        "[default]\naws_access_key_id=x\naws_secret_access_key=y",
        "\x00",
    ],
)
@pytest.mark.usefixtures("keys")
def test_corrupt_credentials_refuse_to_open(tmp_path: Path, content: str) -> None:
    (tmp_path / "credentials").write_text(content)
    with pytest.raises(CorruptCredentials, match=f"{tmp_path}/credentials cannot be used: .*new keys are made"):
        KeyRing.open(tmp_path)


@pytest.mark.usefixtures("keys")
def test_corrupt_server_secret_refuses_to_open(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"short")
    with pytest.raises(CorruptCredentials, match="holds 5 bytes where 32 are expected"):
        KeyRing.open(tmp_path)


def test_temporary_credentials_survive_a_restart(tmp_path: Path, keys: KeyRing) -> None:
    issued = keys.issue(ROLE, 900)
    assert issued.access_key.startswith("ASIA")
    assert issued.expiration == pytest.approx(time.time() + 900, abs=2)
    found = KeyRing.open(tmp_path).lookup(issued.access_key, issued.session_token, "sts", time.time())
    assert (found.secret, found.arn) == (issued.secret, ROLE)


@pytest.mark.parametrize(
    ("service", "code"),
    [("s3", "ExpiredToken"), ("sts", "ExpiredToken"), ("sagemaker", "ExpiredTokenException")],
)
def test_temporary_credentials_expire(keys: KeyRing, service: str, code: str) -> None:
    issued = keys.issue(ROLE, 900)
    keys.lookup(issued.access_key, issued.session_token, service, issued.expiration - 1)
    with pytest.raises(ServiceError) as caught:
        keys.lookup(issued.access_key, issued.session_token, service, issued.expiration)
    assert caught.value.code == code


def test_tokens_cannot_be_forged(tmp_path: Path, keys: KeyRing) -> None:
    issued = keys.issue(ROLE, 900)
    raw = base64.b64decode(issued.session_token)
    forgeries = [
        base64.b64encode(raw.replace(b"Role", b"Root")).decode(),
        base64.b64encode(raw[:31]).decode(),
        KeyRing.open(tmp_path / "other").issue(ROLE, 900).session_token,
        keys.issue(ROLE, 900).session_token,
        "nonsense",
        "é",
    ]
    for token in forgeries:
        with pytest.raises(ServiceError) as caught:
            keys.lookup(issued.access_key, token, "sagemaker", time.time())
        assert caught.value.code == "UnrecognizedClientException"


def test_temporary_key_needs_its_token(keys: KeyRing) -> None:
    with pytest.raises(ServiceError, match="security token included in the request is invalid"):
        keys.lookup(keys.issue(ROLE, 900).access_key, "", "sagemaker", time.time())
