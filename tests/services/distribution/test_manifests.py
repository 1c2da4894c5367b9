"""Images by the rules of the OCI distribution specification, over raw HTTP."""

import json
from typing import Any

import pytest

from tests.pictures import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    descriptor,
    digest_of,
    index_of,
    picture,
)
from tests.platform import Platform
from tests.services.distribution.conftest import Client, login


def test_an_image_is_pushed_and_pulled_by_tag_and_digest(client: Client) -> None:
    made = picture({"a": b"a"})
    pushed = client.push(made, "v1")
    assert (pushed.status, pushed.headers["docker-content-digest"]) == (201, made.digest)
    assert client.call("PUT", f"manifests/{made.digest}", made.manifest, Content_Type=OCI_MANIFEST).status == 201
    for reference in ("v1", made.digest):
        pulled = client.call("GET", f"manifests/{reference}")
        assert (pulled.status, pulled.body) == (200, made.manifest)
        assert pulled.headers["content-type"] == OCI_MANIFEST
        assert pulled.headers["docker-content-digest"] == made.digest
        asked = client.call("HEAD", f"manifests/{reference}")
        assert (asked.status, asked.headers["content-length"]) == (200, str(len(made.manifest)))
        assert asked.headers["docker-content-digest"] == made.digest
    assert client.call("GET", pushed.headers["location"]).body == made.manifest


def test_what_is_not_there_is_unknown(client: Client) -> None:
    for reference in ("v1", digest_of(b"nothing")):
        answer = client.call("GET", f"manifests/{reference}")
        assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
        assert client.call("HEAD", f"manifests/{reference}").status == 404
        assert client.call("DELETE", f"manifests/{reference}").status == 404
    assert client.call("GET", "/v2/team/nobody-made/manifests/v1").code == "NAME_UNKNOWN"
    assert client.call("GET", "/v2/team/nobody-made/tags/list").status == 404
    assert client.call("GET", "/v2/nowhere").status == 404


@pytest.mark.parametrize("name", ["../etc", "a/../b", "UPPER", "a//b", "-a", "a" * 257, "%2e%2e", "a%00b", "a"])
def test_a_name_that_is_none_is_refused(client: Client, name: str) -> None:
    for answer in (
        client.call("GET", f"/v2/{name}/manifests/v1"),
        client.call("PUT", f"/v2/{name}/manifests/v1", b"{}"),
        client.call("POST", f"/v2/{name}/blobs/uploads/"),
    ):
        assert (answer.status, answer.code) == (400, "NAME_INVALID")


def test_a_manifest_whose_blobs_were_not_sent_is_refused(client: Client) -> None:
    made = picture({"a": b"a"})
    client.push_blob(made.config)
    refused = client.call("PUT", "manifests/v1", made.manifest, Content_Type=OCI_MANIFEST)
    assert (refused.status, refused.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    assert digest_of(made.layer) in refused.document["errors"][0]["message"]
    index = index_of({"amd64": made})
    assert client.call("PUT", "manifests/v1", index, Content_Type=OCI_INDEX).code == "MANIFEST_BLOB_UNKNOWN"
    assert client.call("HEAD", "manifests/v1").status == 404


@pytest.mark.parametrize("wrong", [-1, 1])
def test_a_manifest_that_tells_another_size_of_a_blob_is_refused(client: Client, ecr: Any, wrong: int) -> None:
    made = picture({"a": b"a"})
    for blob in made.blobs:
        client.push_blob(blob)
    manifest = json.loads(made.manifest)
    manifest["layers"][0]["size"] += wrong
    refused = client.call("PUT", "manifests/v1", json.dumps(manifest).encode(), Content_Type=OCI_MANIFEST)
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")
    assert f"has {len(made.layer)} bytes" in refused.document["errors"][0]["message"]
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.put_image(repositoryName=client.name, imageManifest=json.dumps(manifest))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"[]",
        b'{"schemaVersion": 1, "name": "x"}',
        b'{"schemaVersion": 2}',
        b'{"schemaVersion": 2, "config": {}, "layers": []}',
        b'{"schemaVersion": 2, "config": {"digest": "../x", "size": 1, "mediaType": "a"}, "layers": []}',
        b'{"schemaVersion": 2, "manifests": [1]}',
        b'{"schemaVersion": 2, "mediaType": "text/plain", "layers": []}',
        b"[" * 100_000,
    ],
)
def test_a_manifest_that_is_none_is_refused(client: Client, content: bytes) -> None:
    refused = client.call("PUT", "manifests/v1", content)
    assert (refused.status, refused.code) == (400, "MANIFEST_INVALID")


def test_a_manifest_of_another_digest_tag_or_type_than_said_is_refused(client: Client) -> None:
    made = picture({"a": b"a"})
    client.push(made, "v1")
    other = digest_of(b"other")
    wrong = client.call("PUT", f"manifests/{other}", made.manifest, Content_Type=OCI_MANIFEST)
    assert (wrong.status, wrong.code) == (400, "DIGEST_INVALID")
    assert client.call("PUT", "manifests/v2", made.manifest, Content_Type=DOCKER_MANIFEST).code == "MANIFEST_INVALID"
    assert client.call("PUT", "manifests/v2", made.manifest, Content_Type="text/plain").code == "MANIFEST_INVALID"
    assert client.call("PUT", "manifests/-bad", made.manifest, Content_Type=OCI_MANIFEST).code == "TAG_INVALID"
    assert client.call("PUT", f"manifests/{'a' * 129}", made.manifest, Content_Type=OCI_MANIFEST).status == 400


def test_a_manifest_of_more_than_4_mib_is_refused(client: Client) -> None:
    refused = client.call("PUT", "manifests/v1", b"{" + b" " * (4 << 20))
    assert (refused.status, refused.code) == (413, "SIZE_INVALID")
    made = picture({"a": b"a"})
    for blob in made.blobs:
        client.push_blob(blob)
    padded = made.manifest + b" " * ((4 << 20) - len(made.manifest))
    assert client.call("PUT", "manifests/v1", padded, Content_Type=OCI_MANIFEST).status == 201
    assert client.call("GET", "manifests/v1").body == padded


def test_a_type_that_is_not_accepted_is_not_answered(client: Client) -> None:
    client.push(picture({"a": b"a"}), "v1")
    assert client.call("GET", "manifests/v1", Accept=f"{DOCKER_MANIFEST}, {OCI_MANIFEST};q=0.5").status == 200
    refused = client.call("GET", "manifests/v1", Accept=DOCKER_MANIFEST)
    assert (refused.status, refused.code) == (404, "MANIFEST_UNKNOWN")
    client.connection.putrequest("GET", f"/v2/{client.name}/manifests/v1")
    for name, value in (
        ("Authorization", client.authorization),
        ("Accept", DOCKER_MANIFEST),
        ("Accept", OCI_MANIFEST),
    ):
        client.connection.putheader(name, value)
    client.connection.endheaders()
    answer = client.connection.getresponse()
    answer.read()
    assert answer.status == 200


def test_a_tag_goes_alone_and_an_image_with_its_tags(client: Client) -> None:
    made = picture({"a": b"a"})
    for tag in ("v1", "v2", "v3"):
        client.push(made, tag)
    assert client.call("DELETE", "manifests/v1").status == 202
    assert client.call("GET", "manifests/v1").status == 404
    assert client.call("GET", "tags/list").document == {"name": client.name, "tags": ["v2", "v3"]}
    assert client.call("DELETE", f"manifests/{made.digest}").status == 202
    for reference in ("v2", made.digest):
        assert client.call("GET", f"manifests/{reference}").status == 404
    assert client.call("GET", "tags/list").document["tags"] == []


def test_a_tag_moves_to_another_image_unless_tags_are_immutable(client: Client, ecr: Any) -> None:
    first, second = picture({"a": b"a"}), picture({"b": b"b"})
    client.push(first, "v1")
    client.push(second, "v1")
    assert client.call("GET", "manifests/v1").body == second.manifest
    assert client.call("GET", f"manifests/{first.digest}").body == first.manifest
    ecr.put_image_tag_mutability(repositoryName=client.name, imageTagMutability="IMMUTABLE")
    refused = client.push(first, "v1")
    assert (refused.status, refused.code) == (400, "TAG_INVALID")
    assert client.push(second, "v1").status == 201


def test_an_index_names_images_which_then_stay(client: Client) -> None:
    images = {name: picture({name: b"x"}, architecture=name) for name in ("amd64", "arm64")}
    for made in images.values():
        client.push(made, made.digest)
    index = index_of(images)
    assert client.call("PUT", "manifests/all", index, Content_Type=OCI_INDEX).status == 201
    pulled = client.call("GET", "manifests/all", Accept=OCI_INDEX)
    assert (pulled.body, pulled.headers["content-type"]) == (index, OCI_INDEX)
    refused = client.call("DELETE", f"manifests/{images['amd64'].digest}")
    assert (refused.status, refused.code) == (405, "UNSUPPORTED")
    assert client.call("DELETE", f"manifests/{digest_of(index)}").status == 202
    assert client.call("DELETE", f"manifests/{images['amd64'].digest}").status == 202


def test_referrers_are_listed_by_their_subject(client: Client) -> None:
    made = picture({"a": b"a"})
    subject = descriptor(made.manifest, OCI_MANIFEST)
    empty = client.call("GET", f"referrers/{made.digest}")
    assert (empty.status, empty.document["manifests"]) == (200, [])
    config = b"{}"
    client.push_blob(config)
    about = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": "application/x.signature",
        "config": descriptor(config, "application/vnd.oci.empty.v1+json"),
        "layers": [descriptor(config, "application/vnd.oci.empty.v1+json")],
        "subject": subject,
        "annotations": {"signed": "yes"},
    }
    signature = json.dumps(about).encode()
    # What it is about may come later.
    pushed = client.call("PUT", f"manifests/{digest_of(signature)}", signature, Content_Type=OCI_MANIFEST)
    assert (pushed.status, pushed.headers["oci-subject"]) == (201, made.digest)
    client.push(made, "v1")
    plain = picture({"b": b"b"}, subject=subject)
    client.push(plain, plain.digest)
    listed = client.call("GET", f"referrers/{made.digest}")
    assert listed.headers["content-type"] == OCI_INDEX
    assert {each["digest"] for each in listed.document["manifests"]} == {digest_of(signature), plain.digest}
    assert "oci-filters-applied" not in listed.headers
    chosen = client.call("GET", f"referrers/{made.digest}?artifactType=application/x.signature")
    assert chosen.headers["oci-filters-applied"] == "artifactType"
    assert chosen.document["manifests"] == [
        {
            **descriptor(signature, OCI_MANIFEST),
            "artifactType": "application/x.signature",
            "annotations": {"signed": "yes"},
        }
    ]
    assert client.call("DELETE", f"manifests/{digest_of(signature)}").status == 202
    assert [each["digest"] for each in client.call("GET", f"referrers/{made.digest}").document["manifests"]] == [
        plain.digest
    ]
    assert client.call("GET", "referrers/nonsense").code == "DIGEST_INVALID"


def test_tags_are_listed_in_order_a_page_at_a_time(client: Client) -> None:
    made = picture({"a": b"a"})
    for tag in ("b", "a", "B", "c", "1"):
        client.push(made, tag)
    assert client.call("GET", "tags/list").document["tags"] == ["1", "B", "a", "b", "c"]
    first = client.call("GET", "tags/list?n=2")
    assert first.document["tags"] == ["1", "B"]
    path, _, relation = first.headers["link"].partition(">; ")
    assert relation == 'rel="next"'
    second = client.call("GET", path.removeprefix("<"))
    assert second.document["tags"] == ["a", "b"]
    last = client.call("GET", "tags/list?n=2&last=b")
    assert last.document["tags"] == ["c"]
    assert "link" not in last.headers
    assert client.call("GET", "tags/list?n=0").document["tags"] == []
    assert client.call("GET", "tags/list?n=x").status == 400


def test_repositories_are_listed(client: Client) -> None:
    assert client.name in client.call("GET", "/v2/_catalog").document["repositories"]
    page = client.call("GET", f"/v2/_catalog?n=1&last={client.name[:-1]}")
    assert len(page.document["repositories"]) == 1


def test_registries_are_apart_by_region_and_address(platform: Platform, client: Client) -> None:
    client.push(picture({"a": b"a"}), "v1")
    far = client.elsewhere(client.name)
    far.authorization = login(platform, "eu-west-1")
    assert far.call("GET", "manifests/v1").code == "NAME_UNKNOWN"
    # An address on AWS says itself whose registry is meant.
    host = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert far.call("GET", "manifests/v1", Host=host).status == 200
    assert far.call("GET", "manifests/v1", Host=host.replace("123", "999")).code == "NAME_UNKNOWN"
