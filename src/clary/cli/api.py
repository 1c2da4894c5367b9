"""Calls to a running platform, as any client makes them: signed, over HTTP.

The commands need half a dozen JSON operations and should answer at once. botocore's signer on `http.client`
starts in 0.15 s; a boto3 client for SageMaker and one for the logs take 0.45 s, most of it spent on reading
service models that these calls do not need.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from clary.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

TARGETS = {"sagemaker": "SageMaker", "logs": "Logs_20140328", "clary": "Clary"}
CALL_SECONDS = 60.0


class ApiError(CommandError):
    """An error of the API; `kind` is AWS's name for it, such as `ValidationException`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message or kind)
        self.kind = kind


class Api:
    """The platform that `variables` (see `environment.py`) lead to."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._url = variables["AWS_ENDPOINT_URL"]
        self._region = variables["AWS_REGION"]
        self._keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
        self._connection = http.client.HTTPConnection(urlsplit(self._url).netloc, timeout=CALL_SECONDS)

    def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call an operation of a JSON-protocol service.

        Raises `ApiError` with the platform's own words, or `CommandError` if nobody answers.
        """
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"{TARGETS[service]}.{operation}",
        }
        request = AWSRequest("POST", f"{self._url}/", headers, json.dumps(parameters))
        SigV4Auth(self._keys, service, self._region).add_auth(request)
        signed = request.prepare()
        try:
            self._connection.request("POST", "/", signed.body, dict(signed.headers))
            response = self._connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise CommandError(f"The platform at {self._url} does not answer: {error}") from None
        document: dict[str, Any] = json.loads(body or b"{}")
        if response.status != http.client.OK:
            kind = str(document.get("__type", response.status)).rpartition("#")[2]
            raise ApiError(kind, document.get("message") or document.get("Message") or "")
        return document

    def pages(self, service: str, operation: str, key: str, token: str, **parameters: Any) -> Iterator[Any]:
        """The members `key` of every page; `token` names the page token in requests and responses."""
        while True:
            page = self.call(service, operation, **parameters)
            yield from page.get(key, ())
            if not page.get(token):
                return
            parameters[token] = page[token]
