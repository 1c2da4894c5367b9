"""How much there is, and who fits where."""

import pytest

from clary.engines.answers import Place, Resources
from clary.engines.capacity import fit, parse_capacity

GIB = 2**30
HERE = Resources(2.0, 8 * GIB, 1.0)


def place(name: str, vcpus: float, taken: float = 0.0) -> Place:
    return Place(name, Resources(vcpus), Resources(taken))


def test_what_is_not_said_is_what_there_is() -> None:
    assert parse_capacity("", HERE) == HERE
    assert parse_capacity("memory=1.5GiB, gpus=0", HERE) == Resources(2.0, 3 * GIB // 2, 0.0)
    assert parse_capacity("vcpus=96,memory=1024", HERE) == Resources(96.0, 1024, 1.0)


@pytest.mark.parametrize("text", ["cpus=4", "vcpus=-1", "vcpus=4GiB", "memory=4G", "4"])
def test_what_is_no_capacity_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text!r} is no capacity: say vcpus=16, memory=64GiB or gpus=2"):
        parse_capacity(text, HERE)


def test_all_of_a_gang_fit_or_none() -> None:
    places = [place("one", 4), place("two", 4, taken=3)]
    assert fit([Resources(1.0)] * 5, places) is not None
    assert fit([Resources(1.0)] * 6, places) is None
    assert fit([Resources(3.0), Resources(2.0)], places) is None


def test_each_goes_where_it_leaves_least() -> None:
    places = [place("large", 8), place("small", 2)]
    assert fit([Resources(2.0), Resources(8.0)], places) == ["small", "large"]


def test_memory_and_gpus_count_too() -> None:
    machine = Place("one", Resources(64.0, 8 * GIB, 1.0), Resources(0.0, 4 * GIB, 0.5))
    assert fit([Resources(1.0, 5 * GIB)], [machine]) is None
    assert fit([Resources(1.0, 4 * GIB, 0.5)], [machine]) == ["one"]
    assert fit([Resources(1.0, 0, 1.0)], [machine]) is None


def test_shares_add_up_to_a_whole() -> None:
    machine = Place("one", Resources(1.0), sum([Resources(0.1)] * 9, Resources()))
    assert fit([Resources(0.1)], [machine]) == ["one"]
