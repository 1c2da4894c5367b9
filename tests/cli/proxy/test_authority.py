"""The authority: made once, readable by its owner only, good for AWS's names and no others."""

import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clary.cli.proxy.authority import Authority


def handshake(authority: Authority, client: ssl.SSLContext, issued_for: str, expected: str) -> str | None:
    """A TLS handshake between `authority`'s server for one host and a client that wants another."""
    near, far = socket.socketpair()
    with ThreadPoolExecutor(1) as pool, near, far:
        server = pool.submit(authority.context(issued_for).wrap_socket, near, server_side=True)
        try:
            with client.wrap_socket(far, server_hostname=expected) as connection:
                return connection.version()
        finally:
            far.close()
            server.exception()


def test_one_authority_whoever_is_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(Authority.open, [tmp_path / "ca"] * 8))
    assert len({authority.certificate for authority in opened}) == 1
    assert Authority.open(tmp_path / "ca").certificate == opened[0].certificate


def test_nobody_else_can_read_the_key(tmp_path: Path) -> None:
    Authority.open(tmp_path / "ca")
    assert (tmp_path / "ca").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "ca").iterdir()] == [0o600]


@pytest.mark.parametrize(
    "host",
    [
        "sts.us-east-1.amazonaws.com",
        "a.bucket.s3.eu-west-1.amazonaws.com",
        "s3.cn-north-1.amazonaws.com.cn",
        "sagemaker.us-east-1.api.aws",
    ],
)
def test_hosts_of_aws_are_vouched_for(authority: Authority, trusting: ssl.SSLContext, host: str) -> None:
    assert handshake(authority, trusting, host, host) == "TLSv1.3"


def test_a_certificate_is_for_one_host(authority: Authority, trusting: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        handshake(authority, trusting, "sts.amazonaws.com", "iam.amazonaws.com")


def test_other_names_are_refused_by_clients(authority: Authority, trusting: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        handshake(authority, trusting, "bank.example", "bank.example")
