"""Who may call: the access key made at first start, and temporary credentials.

    <state>/credentials   AWS's own INI format, so that a client can be pointed at the file itself
    <state>/secret        32 bytes from which everything about temporary credentials is derived

Temporary credentials are kept nowhere: the session token says who and until when, and is authentic by an HMAC
under the server secret; the secret key is another HMAC over the access key. So they survive a restart.
"""

import base64
import binascii
import configparser
import hmac
import io
import json
import re
import secrets
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from clary.files import create_atomically
from clary.wire import refusals

_ACCESS_KEY = re.compile(r"\w{16,128}", re.ASCII)
_SECRET_KEY = re.compile(r"[!-~]{16,128}")
_SECRET_BYTES = 32
_TAG_BYTES = 32
_SESSION_TOKEN = b"session token"
_PASSWORD = b"registry password"


ANONYMOUS = "anonymous"
"""In place of the ARN of who did not sign."""
PLATFORM = "platform"
"""In place of an ARN: the platform itself, whose presigned URLs bring its instances what they read and take what they
write. No policy is asked of those."""
PLATFORM_PREFIX = "CLRY"
"""Of the access key of those URLs."""


class CorruptCredentials(Exception):
    """A credential file cannot be used. The message says which, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Identity:
    access_key: str
    secret: str
    arn: str | None
    """Of an assumed role, None for the account itself: its ARN depends on the region of the call."""


NOBODY = Identity("", "", ANONYMOUS)


@dataclass(frozen=True, slots=True)
class TemporaryCredentials:
    access_key: str
    secret: str
    session_token: str
    expiration: float


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a password for the registry says."""

    identity: Identity
    region: str
    until: float
    path: str
    """The one place that it opens; empty where it opens all."""


@dataclass(frozen=True, slots=True)
class _Issued:
    identity: Identity
    until: float


class KeyRing:
    """The keys of one account. Safe to use from any thread."""

    def __init__(self, access_key: str, secret: str, server_secret: bytes) -> None:
        self.root = Identity(access_key, secret, None)
        self._server_secret = server_secret
        named = base64.b32encode(hmac.digest(server_secret, b"the platform's access key", "sha256"))[:16].decode()
        self.platform = Identity(PLATFORM_PREFIX + named, self._secret_of(PLATFORM_PREFIX + named), PLATFORM)
        # Clients send the same token with every call of a session.
        self._opened = lru_cache(maxsize=1024)(self._open_token)

    @classmethod
    def open(cls, state_dir: Path) -> "KeyRing":
        """Read the keys under `state_dir`, making them at first start; raises `CorruptCredentials`."""
        state_dir.mkdir(parents=True, exist_ok=True)
        credentials, secret = state_dir / "credentials", state_dir / "secret"
        if not credentials.exists():
            create_atomically(str(credentials), _fresh_credentials())
        if not secret.exists():
            create_atomically(str(secret), secrets.token_bytes(_SECRET_BYTES))
        access_key, secret_key = _parse(credentials)
        server_secret = secret.read_bytes()
        if len(server_secret) != _SECRET_BYTES:
            raise CorruptCredentials(
                f"{secret} holds {len(server_secret)} bytes where {_SECRET_BYTES} are expected. Restore it, "
                "or remove it: a new one is made at the next start, and temporary credentials stop working."
            )
        return cls(access_key, secret_key, server_secret)

    def lookup(self, access_key: str, session_token: str, service: str, now: float) -> Identity:
        """Whose key this is; raises what `service` answers an unknown or an expired one with."""
        if not session_token:
            for identity in (self.root, self.platform):
                if access_key == identity.access_key:
                    return identity
            raise refusals.unknown_key(service, access_key)
        issued = self._opened(session_token)
        if issued is None or issued.identity.access_key != access_key:
            raise refusals.invalid_token(service, session_token)
        if now >= issued.until:
            raise refusals.expired_token(service, session_token)
        return issued.identity

    def issue(self, arn: str | None, seconds: int) -> TemporaryCredentials:
        """Credentials of `arn`, an assumed role's session, or of the account itself."""
        access_key = _random_key("ASIA")
        until = int(time.time()) + seconds
        claims = json.dumps({"arn": arn, "key": access_key, "until": until}).encode()
        token = self._sealed(claims, _SESSION_TOKEN)
        return TemporaryCredentials(access_key, self._secret_of(access_key), token, float(until))

    def issue_password(self, arn: str | None, region: str, seconds: int, path: str = "") -> tuple[str, float]:
        """A password for the registry, and when it ends; with `path`, one that only reads what lies there."""
        until = int(time.time()) + seconds
        claims = json.dumps({"arn": arn, "region": region, "until": until, "path": path}).encode()
        return self._sealed(claims, _PASSWORD), float(until)

    def open_password(self, password: str) -> Ticket | None:
        """What an authentic password says, ended or not; None for any other."""
        said = self._unsealed(password, _PASSWORD)
        return said and Ticket(Identity("", "", said["arn"]), said["region"], said["until"], said["path"])

    def _open_token(self, token: str) -> _Issued | None:
        """What an authentic token says; None for any other."""
        said = self._unsealed(token, _SESSION_TOKEN)
        return said and _Issued(Identity(said["key"], self._secret_of(said["key"]), said["arn"]), said["until"])

    def _sealed(self, claims: bytes, purpose: bytes) -> str:
        return base64.b64encode(self._tag(claims, purpose) + claims).decode()

    def _unsealed(self, text: str, purpose: bytes) -> Any:
        """The claims of what was sealed here for the same purpose; None for anything else."""
        try:
            raw = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
        tag, claims = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
        return json.loads(claims) if hmac.compare_digest(tag, self._tag(claims, purpose)) else None

    def _tag(self, claims: bytes, purpose: bytes) -> bytes:
        return hmac.digest(self._server_secret, purpose + b"\n" + claims, "sha256")

    def _secret_of(self, access_key: str) -> str:
        derived = hmac.digest(self._server_secret, b"secret key\n" + access_key.encode(), "sha256")
        return base64.b64encode(derived).decode()[:40]


def _random_key(prefix: str) -> str:
    return prefix + base64.b32encode(secrets.token_bytes(10)).decode()


def _fresh_credentials() -> bytes:
    file = configparser.RawConfigParser()
    file["default"] = {
        "aws_access_key_id": _random_key("AKIA"),
        "aws_secret_access_key": base64.b64encode(secrets.token_bytes(30)).decode(),
    }
    text = io.StringIO()
    file.write(text)
    return text.getvalue().encode()


def _parse(path: Path) -> tuple[str, str]:
    file = configparser.RawConfigParser()
    try:
        file.read_string(path.read_text(encoding="utf-8"))
        access_key = file.get("default", "aws_access_key_id")
        secret_key = file.get("default", "aws_secret_access_key")
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).replace("\n", " ")
    else:
        if _ACCESS_KEY.fullmatch(access_key) and _SECRET_KEY.fullmatch(secret_key):
            return access_key, secret_key
        reason = "aws_access_key_id or aws_secret_access_key is not of AWS's form"
    raise CorruptCredentials(
        f"{path} cannot be used: {reason}. Restore it, or remove it: new keys are made at the next start, "
        "and clients need `clary env` again."
    )
