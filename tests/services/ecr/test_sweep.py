"""What the hourly sweep does with repositories that have a lifecycle policy."""

import json

from clary.control.house import House
from clary.registry import images
from clary.services.ecr.lifecycle import POLICY, sweep
from clary.services.ecr.lookup import find_image
from tests.pictures import OCI_INDEX, index_of, picture
from tests.services.ecr.test_lookup import SCOPE, house, push, push_image, read_manifest, repository

__all__ = ["house", "repository"]

NEWEST = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}


def test_images_that_are_due_go_and_no_others(house: House, repository: str) -> None:
    made = [picture({"number": str(number).encode()}) for number in range(3)]
    for number, each in enumerate(made):
        push(house, repository, each, f"v{number}")
    sweep(house)
    assert len(house.registry.view(lambda connection: images.listed(connection, repository))) == 3
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": NEWEST, "action": {"type": "expire"}}]})
    record = house.records.load(repository)
    house.records.update(record, {**record.document, POLICY: policy})
    sweep(house)
    assert find_image(house, SCOPE, "own/thing", "v0") is None
    assert find_image(house, SCOPE, "own/thing", "v2") is not None
    assert "lastEvaluatedAt" in house.records.load(repository).document


def test_an_image_that_an_index_names_stays(house: House, repository: str) -> None:
    named = picture({"a": b"a"})
    push(house, repository, named, None)
    index = index_of({"amd64": named})
    push_image(house, house.records.load(repository), read_manifest(index, OCI_INDEX), index, "all")
    record = house.records.load(repository)
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": NEWEST, "action": {"type": "expire"}}]})
    house.records.update(record, {**record.document, POLICY: policy})
    sweep(house)
    assert len(house.registry.view(lambda connection: images.listed(connection, repository))) == 2
