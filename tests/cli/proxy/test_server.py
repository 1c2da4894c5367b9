"""The proxy between real clients and real servers."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncIterator, Callable
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

import pytest

from clary.cli.proxy.authority import Authority
from clary.cli.proxy.outside import Outside
from clary.cli.proxy.server import Proxy
from tests.cli.proxy.conftest import Echo, serving

STS = "sts.eu-west-1.amazonaws.com"


class Elsewhere(Echo):
    name = "elsewhere"


@pytest.fixture
async def proxy(authority: Authority, platform: int, outside: Outside) -> AsyncIterator[Proxy]:
    async with Proxy(authority, ("127.0.0.1", platform), outside) as proxy:
        yield proxy


def through(proxy: Proxy, host: str, context: ssl.SSLContext, port: int = 443) -> HTTPSConnection:
    connection = HTTPSConnection(proxy.url.removeprefix("http://"), context=context, timeout=10)
    connection.set_tunnel(host, port)
    return connection


def seen(response: HTTPResponse) -> Any:
    """What the server that answered had received."""
    response.read()
    return json.loads(response.headers["X-Seen"])


def ask(proxy: Proxy, url: str) -> HTTPResponse:
    """A plain request, as a client sends it to its proxy."""
    connection = HTTPConnection(proxy.url.removeprefix("http://"), timeout=10)
    connection.request("GET", url, headers={"Proxy-Connection": "keep-alive", "X-Kept": "yes"})
    return connection.getresponse()


async def test_an_aws_address_is_the_platform(proxy: Proxy, trusting: ssl.SSLContext) -> None:
    def call() -> Any:
        connection = through(proxy, STS, trusting)
        connection.request("GET", "/a%20b?c=d", headers={"Authorization": "AWS4-HMAC-SHA256 x"})
        return seen(connection.getresponse())

    received = await asyncio.to_thread(call)
    assert received["server"] == "platform"
    assert received["line"] == "GET /a%20b?c=d HTTP/1.1"
    assert received["headers"]["Host"] == STS


async def test_bytes_are_unchanged_and_the_connection_is_kept(proxy: Proxy, trusting: ssl.SSLContext) -> None:
    bodies = [os.urandom(size) for size in (1, 70_000, 5_000_000)]

    def call() -> list[bytes]:
        connection = through(proxy, "my.bucket.s3.amazonaws.com", trusting)
        answers = []
        for body in bodies:
            connection.request("PUT", "/key", body)
            answers.append(connection.getresponse().read())
        return answers

    assert await asyncio.to_thread(call) == bodies


async def test_a_client_that_does_not_trust_it_goes_no_further(proxy: Proxy, trusting: ssl.SSLContext) -> None:
    def call(context: ssl.SSLContext) -> Any:
        connection = through(proxy, STS, context)
        connection.request("GET", "/")
        return seen(connection.getresponse())

    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(call, ssl.create_default_context())
    assert (await asyncio.to_thread(call, trusting))["server"] == "platform"


async def test_plain_requests_for_aws_reach_the_platform(proxy: Proxy) -> None:
    received = seen(await asyncio.to_thread(ask, proxy, f"http://{STS}/path?a=b"))
    assert received["server"] == "platform"
    assert received["line"] == "GET /path?a=b HTTP/1.1"
    assert received["headers"] | {"Host": STS, "X-Kept": "yes"} == received["headers"]
    assert "Proxy-Connection" not in received["headers"]


async def test_plain_requests_for_others_reach_them(proxy: Proxy) -> None:
    with serving(Elsewhere) as port:
        received = seen(await asyncio.to_thread(ask, proxy, f"http://127.0.0.1:{port}/"))
    assert received["server"] == "elsewhere"
    assert received["headers"]["Connection"] == "close"


@pytest.fixture
def elsewhere(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Server and client side of TLS under an authority that has nothing to do with the proxy's."""
    foreign = Authority.open(tmp_path / "foreign")
    return foreign.context("localhost.aws"), ssl.create_default_context(cadata=foreign.certificate.decode())


async def test_other_names_are_tunnelled_to_their_own_certificate(
    proxy: Proxy, elsewhere: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server_side, client_side = elsewhere
    client_side.check_hostname = False  # the certificate is checked, its name is one that no resolver knows

    def call(port: int) -> Any:
        connection = through(proxy, "localhost", client_side, port)
        connection.request("GET", "/")
        return seen(connection.getresponse())

    with serving(Elsewhere, server_side) as port:
        assert (await asyncio.to_thread(call, port))["server"] == "elsewhere"


async def test_what_cannot_be_reached_is_said(proxy: Proxy) -> None:
    with serving(Elsewhere) as port:
        pass
    response = await asyncio.to_thread(ask, proxy, f"http://127.0.0.1:{port}/")
    assert response.status == 502
    assert b"cannot get there" in response.read()


async def test_a_platform_that_is_down_is_said(
    authority: Authority, outside: Outside, trusting: ssl.SSLContext
) -> None:
    with serving(Echo) as port:
        pass
    async with Proxy(authority, ("127.0.0.1", port), outside) as proxy:
        connection = through(proxy, STS, trusting)
        with pytest.raises(OSError, match="502"):
            await asyncio.to_thread(connection.connect)


@pytest.mark.parametrize(
    "garbage", [b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET ftp://a/ HTTP/1.1\r\n\r\n", b"x" * 600_000]
)
async def test_what_is_no_request_to_a_proxy_is_refused(proxy: Proxy, garbage: bytes) -> None:
    host, port = proxy.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(garbage)
    assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
    writer.close()


class UserProxy:
    """A proxy as a company has one: it wants a password, notes what it is asked, and answers itself."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split("\r\n")[0])
        if f"Proxy-Authorization: Basic {base64.b64encode(b'me:p@ss').decode()}\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif head.startswith("CONNECT "):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            writer.write(await reader.readexactly(5))
        else:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def user_proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., UserProxy]]:
    user_proxy = UserProxy()
    server = await asyncio.start_server(user_proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def configure(user: str = "me:p%40ss", no_proxy: str = "") -> UserProxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{user}@127.0.0.1:{port}")
        monkeypatch.setenv("http_proxy", f"http://{user}@127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", no_proxy)
        return user_proxy

    yield configure
    server.close()


async def test_tunnels_go_through_the_users_proxy(authority: Authority, user_proxy: Callable[..., UserProxy]) -> None:
    theirs = user_proxy()
    async with Proxy(authority, ("127.0.0.1", 1), Outside()) as proxy:
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"CONNECT pypi.org:443 HTTP/1.1\r\nHost: pypi.org:443\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"bytes")
        assert await reader.read() == b"bytes"
        writer.close()
    assert theirs.asked == ["CONNECT pypi.org:443 HTTP/1.1"]


async def test_plain_requests_go_through_the_users_proxy(
    authority: Authority, user_proxy: Callable[..., UserProxy]
) -> None:
    theirs = user_proxy()
    async with Proxy(authority, ("127.0.0.1", 1), Outside()) as proxy:
        response = await asyncio.to_thread(ask, proxy, "http://pypi.org/simple/")
    assert response.status == 204
    assert theirs.asked == ["GET http://pypi.org/simple/ HTTP/1.1"]


async def test_a_refusal_of_the_users_proxy_is_said(authority: Authority, user_proxy: Callable[..., UserProxy]) -> None:
    user_proxy(user="me:wrong")
    async with Proxy(authority, ("127.0.0.1", 1), Outside()) as proxy:
        connection = through(proxy, "pypi.org", ssl.create_default_context())
        with pytest.raises(OSError, match="502"):
            await asyncio.to_thread(connection.connect)


async def test_a_users_proxy_that_hangs_up_is_said(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        async with Proxy(authority, ("127.0.0.1", 1), Outside()) as proxy:
            connection = through(proxy, "pypi.org", ssl.create_default_context())
            with pytest.raises(OSError, match="502"):
                await asyncio.to_thread(connection.connect)


async def test_the_users_exceptions_hold(authority: Authority, user_proxy: Callable[..., UserProxy]) -> None:
    theirs = user_proxy(no_proxy="127.0.0.1")
    async with Proxy(authority, ("127.0.0.1", 1), Outside()) as proxy:
        with serving(Elsewhere) as port:
            received = seen(await asyncio.to_thread(ask, proxy, f"http://127.0.0.1:{port}/"))
    assert received["server"] == "elsewhere"
    assert theirs.asked == []


def test_a_proxy_that_is_not_http_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:1080")
    with pytest.raises(ValueError, match="socks5 is not spoken"):
        Outside()
