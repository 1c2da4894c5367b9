"""URLs, and forms, that carry their own signature: whoever has one may make the calls that it names, until it expires.

Source: "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" and "Creating a POST policy" in the
S3 API Reference.
"""

import base64
import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, urlsplit

from clary.wire.canonical import canonical_request
from clary.wire.credentials import Identity
from clary.wire.dates import amz_date
from clary.wire.http import Headers
from clary.wire.sigv4 import ALGORITHM, UNSIGNED_PAYLOAD, signing_key


def presigned(
    method: str, platform: str, bucket: str, key: str, identity: Identity, *, region: str, seconds: int, now: float
) -> str:
    """A URL of one object at the S3 service whose URL is `platform`, signed by `identity` and good for `seconds`."""
    date = amz_date(now)
    scope = f"{date[:8]}/{region}/s3/aws4_request"
    path = quote(f"/{bucket}/{key}", safe="/~")
    parameters = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{identity.access_key}/{scope}",
        "X-Amz-Date": date,
        "X-Amz-Expires": str(seconds),
        "X-Amz-SignedHeaders": "host",
    }
    pairs = [(name, quote(value, safe="~")) for name, value in parameters.items()]
    headers: Headers = Headers([("host", urlsplit(platform).netloc)])
    canonical = canonical_request(method, path, pairs, headers, ("host",), UNSIGNED_PAYLOAD)
    to_sign = f"{ALGORITHM}\n{date}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key_of_day = signing_key(identity.secret, date[:8], region, "s3")
    signature = hmac.digest(key_of_day, to_sign.encode(), "sha256").hex()
    query = "&".join(f"{name}={value}" for name, value in [*pairs, ("X-Amz-Signature", signature)])
    return f"{platform.rstrip('/')}{path}?{query}"


def signed_form(
    platform: str, bucket: str, prefix: str, identity: Identity, *, region: str, seconds: int, now: float
) -> tuple[str, dict[str, str]]:
    """The URL of a bucket, and the fields of a form for any `key` that begins with `prefix`."""
    date = amz_date(now)
    fields = {
        "x-amz-algorithm": ALGORITHM,
        "x-amz-credential": f"{identity.access_key}/{date[:8]}/{region}/s3/aws4_request",
        "x-amz-date": date,
    }
    policy = {
        "expiration": datetime.fromtimestamp(now + seconds, UTC).isoformat(),
        "conditions": [{"bucket": bucket}, ["starts-with", "$key", prefix], *({name: fields[name]} for name in fields)],
    }
    fields["policy"] = base64.b64encode(json.dumps(policy).encode()).decode()
    key_of_day = signing_key(identity.secret, date[:8], region, "s3")
    fields["x-amz-signature"] = hmac.digest(key_of_day, fields["policy"].encode(), "sha256").hex()
    return f"{platform.rstrip('/')}/{quote(bucket)}", fields
