"""Which images a lifecycle policy finds due."""

import json
from typing import Any

import pytest

from clary.registry.images import Image
from clary.services.ecr.expiry import DAY, due, read_policy
from clary.wire.errors import ServiceError

NOW = 1000 * DAY


def image(name: str, age: float, *tags: str) -> tuple[Image, list[str]]:
    return Image(name, "", "", None, 1, NOW - age * DAY, None, {}), list(tags)


def rule(priority: int, **selection: Any) -> dict[str, Any]:
    return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}


def expiring(images: list[tuple[Image, list[str]]], *rules: dict[str, Any]) -> list[tuple[str, int]]:
    found = due(read_policy(json.dumps({"rules": rules})), images, NOW)
    return sorted((each.image.digest, each.priority) for each in found)


def test_untagged_images_go_by_their_age() -> None:
    images = [image("old", 15), image("new", 13), image("tagged", 99, "v1")]
    old = rule(1, tagStatus="untagged", countType="sinceImagePushed", countUnit="days", countNumber=14)
    assert expiring(images, old) == [("old", 1)]


def test_the_newest_of_a_prefix_stay() -> None:
    images = [image(f"{number}", number, f"prod-{number}") for number in range(5)] + [image("other", 9, "dev-1")]
    newest = rule(1, tagStatus="tagged", tagPrefixList=["prod"], countType="imageCountMoreThan", countNumber=3)
    assert expiring(images, newest) == [("3", 1), ("4", 1)]


def test_an_image_is_of_the_first_rule_that_selects_it() -> None:
    images = [image("kept", 99, "prod-1"), image("young", 1, "dev-1"), image("old", 50, "dev-2"), image("bare", 60)]
    rules = (
        rule(2, tagStatus="any", countType="sinceImagePushed", countUnit="days", countNumber=30),
        rule(1, tagStatus="tagged", tagPatternList=["prod*"], countType="imageCountMoreThan", countNumber=5),
    )
    assert expiring(images, *rules) == [("bare", 2), ("old", 2)]


def test_an_image_needs_a_tag_for_each_pattern() -> None:
    images = [image("both", 9, "alpha-1", "beta-1"), image("one", 9, "alpha-2")]
    both = rule(
        1,
        tagStatus="tagged",
        tagPatternList=["alpha*", "beta*"],
        countType="sinceImagePushed",
        countUnit="days",
        countNumber=1,
    )
    assert expiring(images, both) == [("both", 1)]


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [rule(1, tagStatus="some", countType="imageCountMoreThan", countNumber=1)],
        [rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=0)],
        [rule(1, tagStatus="tagged", countType="imageCountMoreThan", countNumber=1)],
        [rule(1, tagStatus="any", countType="sinceImagePulled", countUnit="days", countNumber=1)],
        [rule(1, tagStatus="untagged", countType="imageCountMoreThan", countNumber=1)] * 2,
        [{**rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=1), "action": {"type": "transition"}}],
        [
            rule(1, tagStatus="any", countType="imageCountMoreThan", countNumber=1),
            rule(2, tagStatus="untagged", countType="imageCountMoreThan", countNumber=1),
        ],
    ],
)
def test_a_policy_that_is_none_is_refused(rules: list[dict[str, Any]]) -> None:
    with pytest.raises(ServiceError) as refused:
        read_policy(json.dumps({"rules": rules}))
    assert refused.value.code == "InvalidParameterException"
