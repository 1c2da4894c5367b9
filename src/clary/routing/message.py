"""What is sent to a container: one HTTP request, written once it is known to whom."""

from __future__ import annotations

from dataclasses import dataclass, replace

from clary.routing.connection import Answer

ACCEPT, CONTENT_TYPE = "accept", "content-type"


@dataclass(frozen=True, slots=True)
class Message:
    headers: tuple[tuple[str, str], ...]
    """Of the model's contract; names in lower case."""
    body: bytes
    path: str = "/invocations"
    of_models: tuple[tuple[str, str], ...] = ()
    """Headers for a container that serves many models, and for no other."""

    def encode(self, *, to_many: bool = False) -> bytes:
        headers = self.headers + self.of_models if to_many else self.headers
        lines = [f"POST {self.path} HTTP/1.1", "host: localhost", f"content-length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + self.body

    def unaccepting(self) -> Message:
        """What the caller accepts is for the last container of a pipeline to know; the others answer as they like."""
        return replace(self, headers=tuple(pair for pair in self.headers if pair[0] != ACCEPT))

    def followed_by(self, answer: Answer) -> Message:
        """A container's answer as the request to the next."""
        assert isinstance(answer.body, bytes)
        kept = tuple(pair for pair in self.headers if pair[0] != CONTENT_TYPE)
        passed = ((CONTENT_TYPE, answer.headers[CONTENT_TYPE]),) if CONTENT_TYPE in answer.headers else ()
        return replace(self, headers=kept + passed, body=answer.body)
