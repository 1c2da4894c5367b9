"""Where a call came from and how it was signed, in the words of policies' conditions: `aws:SourceIp` and the like."""

import ipaddress
import time

from clary.wire.dates import parse_amz_date
from clary.wire.http import Request
from clary.wire.postform import PostedSignature
from clary.wire.sigv2 import PresignedUrl
from clary.wire.sigv4 import ALGORITHM, Presented


class Origin:
    """Looked at when a policy asks; holding it costs a call nothing."""

    __slots__ = ("_presented", "_request")

    def __init__(self, request: Request, presented: Presented | PresignedUrl | PostedSignature | None) -> None:
        self._request = request
        self._presented = presented

    def value(self, key: str) -> str | None:
        """Of a condition key in lower case; None for one that the call does not have."""
        request = self._request
        if key == "aws:sourceip":
            return request.peer or None
        if key == "aws:securetransport":
            return str(self._is_secure()).lower()
        if key == "aws:useragent":
            return request.headers.get("user-agent") or None
        if key == "aws:referer":
            return request.headers.get("referer") or None
        if key == "s3:x-amz-content-sha256":
            return request.headers.get("x-amz-content-sha256") or None
        return self._of_signature(key)

    def _of_signature(self, key: str) -> str | None:
        presented = self._presented
        if presented is None:
            return None
        if key == "s3:signatureage" and isinstance(presented, Presented):
            return str(int((time.time() - parse_amz_date(presented.timestamp)) * 1000))
        if isinstance(presented, PostedSignature):
            return {"s3:authtype": "POST", "s3:signatureversion": ALGORITHM if presented.date else "AWS"}.get(key)
        if key == "s3:authtype":
            in_query = isinstance(presented, PresignedUrl) or presented.presigned
            return "REST-QUERY-STRING" if in_query else "REST-HEADER"
        if key == "s3:signatureversion":
            return "AWS" if isinstance(presented, PresignedUrl) else ALGORITHM
        return None

    def _is_secure(self) -> bool:
        """Clary itself speaks plain HTTP: TLS ends at a proxy, which is believed where it is on this machine."""
        if self._request.headers.get("x-forwarded-proto").lower() != "https":
            return False
        try:
            return ipaddress.ip_address(self._request.peer).is_loopback
        except ValueError:
            return False
