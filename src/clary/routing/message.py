"""What is sent to a container: one HTTP request, written once it is known to whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Message:
    headers: tuple[tuple[str, str], ...]
    """Of the model's contract; names in lower case."""
    body: bytes
    path: str = "/invocations"

    def encode(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", "host: localhost", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + self.body
