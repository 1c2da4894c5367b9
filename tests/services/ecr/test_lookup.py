"""What whoever runs an image is told of it."""

import platform as machine
from pathlib import Path

import pytest

from clary.app import build_house
from clary.control.house import House
from clary.records.record import Scope
from clary.registry.manifests import read_manifest
from clary.services.ecr.lookup import NoSuchPlatform, find_image
from clary.services.ecr.pushing import push_image
from clary.services.ecr.repositories import ACTIVE, MUTABLE, REPOSITORY
from clary.settings import Settings
from tests.pictures import Picture, digest_of, index_of, picture

HERE = {"x86_64": "amd64", "aarch64": "arm64"}[machine.machine()]
SCOPE = Scope("123456789012", "us-east-1")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return build_house(Settings(state=tmp_path / "state", environments=tmp_path / "environments"))


@pytest.fixture
def repository(house: House) -> str:
    document = {"imageTagMutability": MUTABLE}
    return house.records.create(REPOSITORY, SCOPE, "own/thing", "arn", document, ACTIVE).id


def keep(house: House, repository: str, content: bytes) -> None:
    upload = house.registry.begin(repository)
    house.registry.uploads.path(upload).write_bytes(content)
    house.registry.finish(repository, upload, digest_of(content))


def push(house: House, repository: str, made: Picture, tag: str | None) -> None:
    for blob in made.blobs:
        keep(house, repository, blob)
    push_image(house, house.records.load(repository), read_manifest(made.manifest), made.manifest, tag)


@pytest.mark.parametrize("docker", [False, True])
def test_an_image_is_found_by_its_tag_and_its_digest(house: House, repository: str, docker: bool) -> None:
    made = picture({"hello": b"hello"}, docker=docker)
    push(house, repository, made, "v1")
    by_tag = find_image(house, SCOPE, "own/thing", "v1")
    assert by_tag is not None
    assert by_tag == find_image(house, SCOPE, "own/thing", made.digest)
    assert by_tag.digest == made.digest
    assert Path(by_tag.config.location).read_bytes() == made.config
    assert [Path(layer.location).read_bytes() for layer in by_tag.layers] == [made.layer]
    assert "tar" in by_tag.layers[0].media_type
    assert by_tag.layers[0].size == len(made.layer)


def test_an_instance_on_another_machine_is_told_urls(house: House, repository: str) -> None:
    made = picture({"hello": b"hello"})
    push(house, repository, made, "v1")
    house.engine.shares_disk = False
    house.settings.advertise = "http://10.0.0.1:7373"
    found = find_image(house, SCOPE, "own/thing", "v1")
    assert found is not None
    for blob in (found.config, *found.layers):
        assert blob.location.startswith("http://10.0.0.1:7373/.clary/")
        assert "X-Amz-Signature=" in blob.location


def test_of_an_index_the_image_of_this_machine_is_found(house: House, repository: str) -> None:
    made = {name: picture({"arch": name.encode()}, architecture=name) for name in ("s390x", HERE)}
    for each in made.values():
        push(house, repository, each, None)
    index = index_of(made)
    push_image(house, house.records.load(repository), read_manifest(index), index, "all")
    found = find_image(house, SCOPE, "own/thing", "all")
    assert found is not None
    assert found.digest == made[HERE].digest
    foreign = index_of({"s390x": made["s390x"]})
    push_image(house, house.records.load(repository), read_manifest(foreign), foreign, "foreign")
    with pytest.raises(NoSuchPlatform, match="s390x"):
        find_image(house, SCOPE, "own/thing", "foreign")


def test_what_is_not_there_is_not_found(house: House, repository: str) -> None:
    assert repository
    assert find_image(house, SCOPE, "own/thing", "v1") is None
    assert find_image(house, SCOPE, "own/thing", digest_of(b"nothing")) is None
    assert find_image(house, SCOPE, "own/other", "v1") is None
    assert find_image(house, Scope(SCOPE.account, "eu-west-1"), "own/thing", "v1") is None
