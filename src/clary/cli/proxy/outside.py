"""The way to addresses that are not AWS's: direct, or through the proxy that the user's variables name."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class UserProxy:
    """A proxy such as `HTTPS_PROXY=http://user:password@proxy.example:3128` names."""

    host: str
    port: int
    tls: bool
    authorization: str
    """The `Proxy-Authorization` header line, or nothing."""

    @classmethod
    def parse(cls, url: str) -> UserProxy:
        """Raises `ValueError` for a proxy that does not speak HTTP."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
            raise ValueError(f"{parts.scheme} is not spoken to the proxy {parts.hostname}")
        authorization = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
        port = parts.port or DEFAULT_PORTS[parts.scheme]
        return cls(parts.hostname, port, parts.scheme == "https", authorization)

    async def connect(self) -> Streams:
        return await asyncio.open_connection(self.host, self.port, ssl=self.tls or None)


class Outside:
    """Reads the user's variables (`HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`, either case) once."""

    def __init__(self) -> None:
        self._variables = getproxies_environment()
        schemes = {"https", "http", "all"} & self._variables.keys()
        self._proxies = {scheme: UserProxy.parse(self._variables[scheme]) for scheme in schemes}

    def proxy_for(self, scheme: str, host: str) -> UserProxy | None:
        if proxy_bypass_environment(host, self._variables):
            return None
        return self._proxies.get(scheme) or self._proxies.get("all")

    async def tunnel(self, host: str, port: int) -> Streams:
        """A connection that carries any bytes to `host`; raises `OSError` where there is no way."""
        proxy = self.proxy_for("https", host)
        if proxy is None:
            return await asyncio.open_connection(host, port)
        reader, writer = await proxy.connect()
        name = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        writer.write(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n{proxy.authorization}\r\n".encode())
        try:
            status, _, _ = (await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")
        except asyncio.IncompleteReadError:
            raise OSError(f"{proxy.host}:{proxy.port} closed the connection") from None
        if status.split(b" ")[1:2] != [b"200"]:
            writer.close()
            raise OSError(f"{proxy.host}:{proxy.port} answered {status.decode('latin-1')}")
        return reader, writer
