"""Why a call is not let in or not answered, in the words of the service that it was meant for.

S3, the query services (sts, iam) and the json services name the same causes differently; each cause is one
function here. The wording is AWS's own, as its error reference pages and its SDKs' users quote it.
"""

from clary.wire.dates import amz_date, iso_date
from clary.wire.errors import ServiceError

QUERY_SERVICES = frozenset({"iam", "sts", "sns"})
MAX_SKEW = 15 * 60
MAX_PRESIGNED = 7 * 24 * 3600

_MISMATCH = "The request signature we calculated does not match the signature you provided. Check your "
_TOKEN_INVALID = "The security token included in the request is invalid."
_TOKEN_EXPIRED = "The security token included in the request is expired"


def unavailable(service: str | None) -> ServiceError:
    """A failure that passes; every SDK tries again on the status or on the code."""
    # CloudWatch Logs alone models the error under a name of its own.
    code = "ServiceUnavailableException" if service == "logs" else "ServiceUnavailable"
    message = "The platform cannot use its database or its disk at the moment. Please try again."
    return ServiceError(code, message, 503)


def unsigned(service: str) -> ServiceError:
    if service == "s3":
        return ServiceError("AccessDenied", "Access Denied", 403)
    code = "MissingAuthenticationToken" if service in QUERY_SERVICES else "MissingAuthenticationTokenException"
    return ServiceError(code, "Missing Authentication Token", 403)


def unknown_key(service: str, access_key: str) -> ServiceError:
    if service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return ServiceError("InvalidAccessKeyId", message, 403, AWSAccessKeyId=access_key)
    code = "InvalidClientTokenId" if service in QUERY_SERVICES else "UnrecognizedClientException"
    return ServiceError(code, _TOKEN_INVALID, 403)


def invalid_token(service: str, token: str) -> ServiceError:
    if service == "s3":
        message = "The provided token is malformed or otherwise invalid."
        return ServiceError("InvalidToken", message, 400, **{"Token-0": token})
    code = "InvalidClientTokenId" if service in QUERY_SERVICES else "UnrecognizedClientException"
    return ServiceError(code, _TOKEN_INVALID, 403)


def expired_token(service: str, token: str) -> ServiceError:
    if service == "s3":
        return ServiceError("ExpiredToken", "The provided token has expired.", 400, **{"Token-0": token})
    code = "ExpiredToken" if service in QUERY_SERVICES else "ExpiredTokenException"
    return ServiceError(code, _TOKEN_EXPIRED, 403)


def malformed(service: str, authorization: str, missing: list[str]) -> ServiceError:
    """An Authorization header that lacks parts: `Credential`, `SignedHeaders`, `Signature`."""
    if service == "s3":
        message = f"The authorization header is malformed; missing {', '.join(missing)}."
        return ServiceError("AuthorizationHeaderMalformed", message, 400)
    needs = " ".join(f"Authorization header requires '{part}' parameter." for part in missing)
    return _incomplete(service, f"{needs} Authorization={authorization}")


def no_date(service: str, authorization: str) -> ServiceError:
    if service == "s3":
        message = "AWS authentication requires a valid Date or x-amz-date header"
        return ServiceError("AccessDenied", message, 403)
    needs = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    return _incomplete(service, f"{needs} Authorization={authorization}")


def bad_date(service: str, date: str) -> ServiceError:
    if service == "s3":
        message = "AWS authentication requires a valid Date or x-amz-date header"
        return ServiceError("AccessDenied", message, 403)
    message = f"Date must be in ISO-8601 'basic format'. Got '{date}'. See http://en.wikipedia.org/wiki/ISO_8601"
    return _incomplete(service, message)


def bad_credential(service: str, credential: str) -> ServiceError:
    if service == "s3":
        message = (
            "The authorization header is malformed; the Credential is mal-formed; expecting "
            '"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".'
        )
        return ServiceError("AuthorizationHeaderMalformed", message, 400)
    message = (
        "Credential must have exactly 5 slash-delimited elements, "
        f"e.g. keyid/date/region/service/term, got '{credential}'"
    )
    return _incomplete(service, message)


def bad_terminator(service: str, terminator: str) -> ServiceError:
    if service == "s3":
        message = (
            f'The authorization header is malformed; incorrect terminal "{terminator}". '
            'This endpoint uses "aws4_request".'
        )
        return ServiceError("AuthorizationHeaderMalformed", message, 400)
    return _mismatched(
        service, f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
    )


def date_differs(service: str, scope_date: str, date: str) -> ServiceError:
    if service == "s3":
        message = (
            f'The authorization header is malformed; Invalid credential date "{scope_date}". '
            f'This date is not the same as X-Amz-Date: "{date[:8]}".'
        )
        return ServiceError("AuthorizationHeaderMalformed", message, 400)
    return _mismatched(
        service,
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
        f"'{scope_date}' != '{date[:8]}', from '{date}'.",
    )


def wrong_service(asked: str, signed: str) -> ServiceError:
    """For the gateway: a call to `asked` that was signed for `signed`."""
    if asked == "s3":
        message = f'The authorization header is malformed; incorrect service "{signed}". This endpoint belongs to "s3".'
        return ServiceError("AuthorizationHeaderMalformed", message, 400)
    return _mismatched(asked, f"Credential should be scoped to correct service: '{asked}'. ")


def skewed(service: str, date: str, signed_at: float, now: float) -> ServiceError:
    if service == "s3":
        return ServiceError(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            403,
            RequestTime=date,
            ServerTime=iso_date(now),
            MaxAllowedSkewMilliseconds=str(MAX_SKEW * 1000),
        )
    minutes = MAX_SKEW // 60
    if signed_at < now:
        bound = f"{amz_date(now - MAX_SKEW)} ({amz_date(now)} - {minutes} min.)"
        return _mismatched(service, f"Signature expired: {date} is now earlier than {bound}")
    bound = f"{amz_date(now + MAX_SKEW)} ({amz_date(now)} + {minutes} min.)"
    return _mismatched(service, f"Signature not yet current: {date} is still later than {bound}")


def presigned_expired(service: str, expires_at: float, seconds: int, now: float) -> ServiceError:
    if service == "s3":
        fields = {"X-Amz-Expires": str(seconds), "Expires": iso_date(expires_at), "ServerTime": iso_date(now)}
        return ServiceError("AccessDenied", "Request has expired", 403, **fields)
    return _mismatched(service, f"Signature expired: {amz_date(expires_at)} is now earlier than {amz_date(now)}")


def presigned_early(service: str, date: str, signed_at: float, now: float) -> ServiceError:
    if service == "s3":
        return ServiceError("AccessDenied", "Request is not yet valid", 403, ServerTime=iso_date(now))
    return skewed(service, date, signed_at, now)


def bad_query(service: str, message: str) -> ServiceError:
    """A presigned URL whose `X-Amz-*` parameters are missing or wrong."""
    if service == "s3":
        return ServiceError("AuthorizationQueryParametersError", message, 400)
    return _incomplete(service, message)


def host_not_signed(service: str) -> ServiceError:
    message = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    return _mismatched(service, message)


def headers_not_signed(names: list[str]) -> ServiceError:
    message = "There were headers present in the request which were not signed"
    return ServiceError("AccessDenied", message, 403, HeadersNotSigned=", ".join(names))


def mismatch(service: str, access_key: str, signature: str, string_to_sign: str, canonical: str) -> ServiceError:
    if service != "s3":
        return _mismatched(
            service,
            f"{_MISMATCH}AWS Secret Access Key and signing method. Consult the service documentation for details.",
        )
    return ServiceError(
        "SignatureDoesNotMatch",
        f"{_MISMATCH}key and signing method.",
        403,
        AWSAccessKeyId=access_key,
        StringToSign=string_to_sign,
        SignatureProvided=signature,
        StringToSignBytes=_spaced(string_to_sign),
        CanonicalRequest=canonical,
        CanonicalRequestBytes=_spaced(canonical),
    )


def payload_header_missing() -> ServiceError:
    message = "Missing required header for this request: x-amz-content-sha256"
    return ServiceError("InvalidRequest", message, 400)


def payload_header_invalid(value: str) -> ServiceError:
    message = (
        "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER "
        "or a valid sha256 value."
    )
    return ServiceError("InvalidArgument", message, 400, ArgumentName="x-amz-content-sha256", ArgumentValue=value)


def payload_mismatch(announced: str, computed: str) -> ServiceError:
    return ServiceError(
        "XAmzContentSHA256Mismatch",
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        400,
        ClientComputedContentSHA256=announced,
        S3ComputedContentSHA256=computed,
    )


def md5_invalid() -> ServiceError:
    return ServiceError("InvalidDigest", "The Content-MD5 you specified is not valid.", 400)


def md5_mismatch(announced: str, computed: str) -> ServiceError:
    message = "The Content-MD5 you specified did not match what we received."
    return ServiceError("BadDigest", message, 400, ExpectedDigest=announced, CalculatedDigest=computed)


def chunk_mismatch(access_key: str, signature: str, string_to_sign: str) -> ServiceError:
    return ServiceError(
        "SignatureDoesNotMatch",
        f"{_MISMATCH}key and signing method.",
        403,
        AWSAccessKeyId=access_key,
        StringToSign=string_to_sign,
        SignatureProvided=signature,
        StringToSignBytes=_spaced(string_to_sign),
    )


def incomplete_body() -> ServiceError:
    message = "You did not provide the number of bytes specified by the x-amz-decoded-content-length header"
    return ServiceError("IncompleteBody", message, 400)


def malformed_trailer() -> ServiceError:
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return ServiceError("MalformedTrailerError", message, 400)


def malformed_xml() -> ServiceError:
    """What S3 says of every document that it does not take, whatever is wrong with it."""
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return ServiceError("MalformedXML", message, 400)


def missing_length() -> ServiceError:
    return ServiceError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)


def _incomplete(service: str, message: str) -> ServiceError:
    code = "IncompleteSignature" if service in QUERY_SERVICES else "IncompleteSignatureException"
    return ServiceError(code, message, 403)


def _mismatched(service: str, message: str) -> ServiceError:
    code = "SignatureDoesNotMatch" if service in QUERY_SERVICES | {"s3"} else "InvalidSignatureException"
    return ServiceError(code, message, 403)


def _spaced(text: str) -> str:
    return text.encode("latin-1").hex(" ")
