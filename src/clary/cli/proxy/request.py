"""What a program asks of a proxy: the head of its request, in the forms that RFC 9112, 3.2, has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

HOP_HEADERS = (b"connection:", b"proxy-connection:", b"proxy-authorization:")


@dataclass(frozen=True)
class ProxyRequest:
    method: str
    target: str
    """As sent: `host:port` of a CONNECT, otherwise an absolute URL."""
    host: str
    port: int
    headers: tuple[bytes, ...]
    """Lines as sent, without those that are between the program and its proxy."""

    @classmethod
    def parse(cls, head: bytes) -> Self:
        """`head` ends with the empty line; raises `ValueError` if it is no request to a proxy."""
        request_line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
        method, target, _ = request_line.decode("latin-1").split(" ")
        address = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if not address.hostname or address.scheme not in ("", "http"):
            raise ValueError(f"{target!r} is no address")
        headers = tuple(line for line in lines if not line.lower().startswith(HOP_HEADERS))
        port = address.port or (443 if method == "CONNECT" else 80)
        return cls(method, target, address.hostname, port, headers)

    @property
    def is_tunnel(self) -> bool:
        return self.method == "CONNECT"

    def head(self, *, absolute: bool, extra: str = "") -> bytes:
        """The request to send on: in absolute form to another proxy, in origin form to the host itself.

        It is the last on its connection, because the program's next one could be for another host.
        """
        target = self.target
        if not absolute:
            parts = urlsplit(target)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        first = f"{self.method} {target} HTTP/1.1\r\n{extra}Connection: close\r\n".encode("latin-1")
        return first + b"".join(line + b"\r\n" for line in self.headers) + b"\r\n"
