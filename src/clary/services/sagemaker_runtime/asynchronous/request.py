"""What is kept of an asynchronous invocation until it is answered."""

from dataclasses import asdict, dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class AsyncRequest:
    endpoint: str
    inference_id: str
    members: dict[str, str]
    """Of the call, as far as containers and notifications are told: `ContentType`, `Accept`, `CustomAttributes`."""
    output: str
    """URI of the object that the answer becomes; as all that follows, by the configuration that served at the call."""
    failure: str = ""
    """URI of the object that a failure becomes; empty where none does."""
    input: str = ""
    """URI of the object that is sent; empty where the call brought it along."""
    body: str = ""
    """That, in base64."""
    ttl: float = 21_600.0
    """Seconds that it may wait for a replica."""
    timeout: float = 900.0
    """Seconds that the containers have to answer."""
    notification: dict[str, Any] | None = None
    """The `NotificationConfig`."""

    def dump(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def load(cls, text: str) -> "AsyncRequest":
        return cls(**orjson.loads(text))
