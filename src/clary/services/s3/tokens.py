"""Continuation tokens: where a page ended, in a spelling that is nobody else's business."""

import base64
import binascii

from clary.objects.errors import StoreError


def token_of(last: bytes) -> str:
    return base64.urlsafe_b64encode(last).decode()


def read_token(token: str) -> bytes:
    """What `token_of` was given; an empty token continues nothing and is refused like a foreign one."""
    try:
        last = base64.b64decode(token, altchars=b"-_", validate=True)
        last.decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        last = b""
    if not last:
        raise StoreError(
            "InvalidArgument", "The continuation token provided is incorrect", ArgumentName="continuation-token"
        )
    return last
