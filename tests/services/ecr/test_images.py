"""Images and layers through boto3 alone: pushed, listed, described, got and deleted."""

import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.pictures import OCI_INDEX, OCI_MANIFEST, Picture, digest_of, index_of, picture

FIRST, SECOND = picture({"a": b"a"}), picture({"b": b"b"}, docker=True)


def upload(ecr: Any, repository: str, content: bytes, step: int = 1 << 20) -> str:
    begun = ecr.initiate_layer_upload(repositoryName=repository)
    at = {"repositoryName": repository, "uploadId": begun["uploadId"]}
    for first in range(0, len(content), step):
        part = content[first : first + step]
        last = first + len(part) - 1
        sent = ecr.upload_layer_part(**at, partFirstByte=first, partLastByte=last, layerPartBlob=part)
        assert sent["lastByteReceived"] == last
    digest: str = ecr.complete_layer_upload(**at, layerDigests=[digest_of(content)])["layerDigest"]
    return digest


def push(ecr: Any, repository: str, made: Picture, tag: str | None = None) -> Any:
    there = ecr.batch_check_layer_availability(
        repositoryName=repository, layerDigests=[digest_of(blob) for blob in made.blobs]
    )["layers"]
    for blob, told in zip(made.blobs, there, strict=True):
        if told["layerAvailability"] == "UNAVAILABLE":
            upload(ecr, repository, blob)
    tagged = {"imageTag": tag} if tag else {}
    return ecr.put_image(repositoryName=repository, imageManifest=made.manifest.decode(), **tagged)["image"]


def test_an_image_is_pushed_by_the_api_alone(ecr: Any, repository: str) -> None:
    image = push(ecr, repository, FIRST, "v1")
    assert image["imageId"] == {"imageDigest": FIRST.digest, "imageTag": "v1"}
    assert image["imageManifestMediaType"] == OCI_MANIFEST
    got = ecr.batch_get_image(
        repositoryName=repository,
        imageIds=[{"imageTag": "v1"}, {"imageDigest": FIRST.digest}, {"imageTag": "v2"}, {"imageDigest": "sha256:1"}],
    )
    assert [each["imageManifest"].encode() for each in got["images"]] == [FIRST.manifest, FIRST.manifest]
    assert [each["failureCode"] for each in got["failures"]] == ["ImageNotFound", "InvalidImageDigest"]
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException):
        push(ecr, repository, FIRST, "v1")
    assert push(ecr, repository, FIRST, "v2")["imageId"]["imageTag"] == "v2"


def test_a_layer_is_downloaded_by_its_url_alone(ecr: Any, repository: str) -> None:
    digest = upload(ecr, repository, b"0123456789" * 1000, step=3000)
    url = ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest)["downloadUrl"]
    assert urllib.request.urlopen(url).read() == b"0123456789" * 1000
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(url.replace("/blobs/", "/manifests/"))
    with pytest.raises(ecr.exceptions.LayersNotFoundException):
        ecr.get_download_url_for_layer(repositoryName=repository, layerDigest=digest_of(b"nothing"))


def test_layers_are_told_there_or_not(ecr: Any, repository: str) -> None:
    digest = upload(ecr, repository, b"some layer")
    other = digest_of(b"none")
    told = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest, other, "nonsense"])
    assert [(each["layerAvailability"], each.get("layerSize")) for each in told["layers"]] == [
        ("AVAILABLE", 10),
        ("UNAVAILABLE", None),
    ]
    assert [each["failureCode"] for each in told["failures"]] == ["InvalidLayerDigest"]


def test_parts_of_a_layer_that_do_not_fit_are_refused(ecr: Any, repository: str) -> None:
    begun = ecr.initiate_layer_upload(repositoryName=repository)
    at = {"repositoryName": repository, "uploadId": begun["uploadId"]}
    with pytest.raises(ecr.exceptions.EmptyUploadException):
        ecr.complete_layer_upload(**at, layerDigests=[digest_of(b"")])
    ecr.upload_layer_part(**at, partFirstByte=0, partLastByte=3, layerPartBlob=b"0123")
    for first, last in ((0, 3), (5, 8), (4, 8)):
        with pytest.raises(ecr.exceptions.InvalidLayerPartException) as refused:
            ecr.upload_layer_part(**at, partFirstByte=first, partLastByte=last, layerPartBlob=b"4567")
        assert refused.value.response["lastValidByteReceived"] == 3
    with pytest.raises(ecr.exceptions.InvalidLayerException):
        ecr.complete_layer_upload(**at, layerDigests=[digest_of(b"other")])
    with pytest.raises(ecr.exceptions.UploadNotFoundException):
        ecr.complete_layer_upload(**at, layerDigests=[digest_of(b"0123")])
    upload(ecr, repository, b"0123")
    with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
        upload(ecr, repository, b"0123")


def test_an_image_that_cannot_be_is_refused(ecr: Any, repository: str) -> None:
    manifest = FIRST.manifest.decode()
    with pytest.raises(ecr.exceptions.LayersNotFoundException, match=digest_of(FIRST.layer)):
        ecr.put_image(repositoryName=repository, imageManifest=manifest)
    index = index_of({"amd64": FIRST}).decode()
    with pytest.raises(ecr.exceptions.ReferencedImagesNotFoundException, match=FIRST.digest):
        ecr.put_image(repositoryName=repository, imageManifest=index, imageManifestMediaType=OCI_INDEX)
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.put_image(repositoryName=repository, imageManifest="no manifest")
    with pytest.raises(ecr.exceptions.ImageDigestDoesNotMatchException):
        ecr.put_image(repositoryName=repository, imageManifest=manifest, imageDigest=digest_of(b"other"))
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.put_image(repositoryName="nobody/made", imageManifest=manifest)


def test_a_tag_that_is_immutable_stays(ecr: Any, repository: str) -> None:
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    ecr.put_image_tag_mutability(
        repositoryName=repository,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    for tag in ("v1", "dev-1"):
        push(ecr, repository, FIRST, tag)
    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException, match="'v1' already exists in the"):
        push(ecr, repository, SECOND, "v1")
    push(ecr, repository, SECOND, "dev-1")
    ecr.put_image_tag_mutability(repositoryName=repository, imageTagMutability="MUTABLE")
    push(ecr, repository, SECOND, "v1")


def test_images_are_described_and_listed(ecr: Any, repository: str) -> None:
    push(ecr, repository, FIRST, "v1")
    push(ecr, repository, FIRST, "latest")
    push(ecr, repository, SECOND)
    first, second = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert (first["imageDigest"], sorted(first["imageTags"])) == (FIRST.digest, ["latest", "v1"])
    assert first["imageSizeInBytes"] == len(FIRST.layer)
    assert abs(first["imagePushedAt"].timestamp() - time.time()) < 60
    assert first["artifactMediaType"] == "application/vnd.oci.image.config.v1+json"
    assert (second["imageDigest"], "imageTags" in second) == (SECOND.digest, False)
    one = ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v1"}])["imageDetails"]
    assert one == [first]
    with pytest.raises(ecr.exceptions.ImageNotFoundException, match="imageTag:'v9'"):
        ecr.describe_images(repositoryName=repository, imageIds=[{"imageTag": "v9"}])
    pages = ecr.get_paginator("list_images").paginate(repositoryName=repository, PaginationConfig={"PageSize": 1})
    listed = [(each["imageDigest"], each.get("imageTag")) for page in pages for each in page["imageIds"]]
    expected = [(FIRST.digest, "latest"), (FIRST.digest, "v1"), (SECOND.digest, None)]
    assert sorted(listed, key=str) == sorted(expected, key=str)
    for status, number in (("TAGGED", 2), ("UNTAGGED", 1), ("ANY", 3)):
        chosen = ecr.list_images(repositoryName=repository, filter={"tagStatus": status})["imageIds"]
        assert len(chosen) == number
    assert ecr.describe_images(repositoryName=repository, filter={"imageStatus": "ARCHIVED"})["imageDetails"] == []


def test_images_are_deleted_by_tag_and_digest(ecr: Any, repository: str) -> None:
    for tag in ("v1", "v2"):
        push(ecr, repository, FIRST, tag)
    push(ecr, repository, SECOND)
    first = ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v1"}, {"imageTag": "v9"}])
    assert first["imageIds"] == [{"imageDigest": FIRST.digest, "imageTag": "v1"}]
    assert [each["failureCode"] for each in first["failures"]] == ["ImageNotFound"]
    with pytest.raises(ecr.exceptions.RepositoryNotEmptyException):
        ecr.delete_repository(repositoryName=repository)
    # With its last tag an image goes too.
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": "v2"}])
    (left,) = ecr.describe_images(repositoryName=repository)["imageDetails"]
    assert left["imageDigest"] == SECOND.digest
    ecr.batch_delete_image(repositoryName=repository, imageIds=[{"imageDigest": SECOND.digest}])
    assert ecr.list_images(repositoryName=repository)["imageIds"] == []


def test_an_image_of_an_index_stays_until_that_goes(ecr: Any, repository: str) -> None:
    push(ecr, repository, FIRST)
    index = index_of({"amd64": FIRST})
    ecr.put_image(
        repositoryName=repository, imageManifest=index.decode(), imageManifestMediaType=OCI_INDEX, imageTag="all"
    )
    image_ids = [{"imageDigest": FIRST.digest}]
    (refused,) = ecr.batch_delete_image(repositoryName=repository, imageIds=image_ids)["failures"]
    assert refused["failureCode"] == "ImageReferencedByManifestList"
    both = [{"imageDigest": digest_of(index)}, *image_ids]
    assert ecr.batch_delete_image(repositoryName=repository, imageIds=both)["failures"] == []


def test_a_lifecycle_policy_is_kept_and_previewed(ecr: Any, repository: str) -> None:
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.get_lifecycle_policy(repositoryName=repository)
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 1}
    policy = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    text = json.dumps(policy)
    ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=text)
    assert ecr.get_lifecycle_policy(repositoryName=repository)["lifecyclePolicyText"] == text
    push(ecr, repository, FIRST)
    push(ecr, repository, SECOND)
    ecr.start_lifecycle_policy_preview(repositoryName=repository)
    preview = ecr.get_lifecycle_policy_preview(repositoryName=repository)
    assert preview["status"] == "COMPLETE"
    assert [each["imageDigest"] for each in preview["previewResults"]] == [FIRST.digest]
    assert preview["summary"]["expiringImageTotalCount"] == 1
    with pytest.raises(ClientError, match="Lifecycle policy validation failure"):
        ecr.put_lifecycle_policy(repositoryName=repository, lifecyclePolicyText=json.dumps({"rules": []}) + " " * 100)
    ecr.delete_lifecycle_policy(repositoryName=repository)
    with pytest.raises(ecr.exceptions.LifecyclePolicyNotFoundException):
        ecr.delete_lifecycle_policy(repositoryName=repository)
