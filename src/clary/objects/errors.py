"""What the store answers when a request cannot be met, in the words of S3."""

from typing import Any, Self


class ObjectArchived(Exception):
    """The bytes cannot be had before RestoreObject; says `s3://bucket/key`."""


class StoreError(Exception):
    """A refusal with the code, message and HTTP status that S3 documents for it; `fields` are what its error
    document says besides."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields
        self.answer: dict[str, Any] = {}

    def telling(self, **answer: Any) -> Self:
        """Adds what is said of the object all the same, as members of the operation's answer."""
        self.answer |= answer
        return self


def no_such_bucket(name: str) -> StoreError:
    return StoreError("NoSuchBucket", "The specified bucket does not exist", 404, BucketName=name)


def no_such_key(key: bytes) -> StoreError:
    return StoreError("NoSuchKey", "The specified key does not exist.", 404, Key=key.decode())


def no_such_version(key: bytes, version_id: str) -> StoreError:
    message = "The specified version does not exist."
    return StoreError("NoSuchVersion", message, 404, Key=key.decode(), VersionId=version_id)


def no_such_upload(upload_id: str) -> StoreError:
    return StoreError(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
        "aborted or completed.",
        404,
        UploadId=upload_id,
    )


def precondition_failed(condition: str) -> StoreError:
    return StoreError(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        412,
        Condition=condition,
    )


def bad_digest(algorithm: str) -> StoreError:
    name = "Content-MD5" if algorithm == "MD5" else algorithm
    wording = "did not match what we received" if algorithm == "MD5" else "did not match the calculated checksum"
    return StoreError("BadDigest", f"The {name} you specified {wording}.", 400)
