"""What instances are told, as it lies on the disk: also as an earlier Clary wrote it."""

import json

from clary.instance.node import Node
from clary.instance.spec import InstanceSpec, Source

FIRST_OF_SPECS = {"id", "command", "environment", "channels", "archives", "outputs", "image", "vcpus", "memory"}
FIRST_OF_NODES = {"instance", "layers", "containment", "uid", "tools"}
"""Members that the first Clary wrote whose instances may still run."""


def _of_an_earlier_clary(text: str, members: set[str]) -> str:
    return json.dumps({name: value for name, value in json.loads(text).items() if name in members})


def test_a_spec_of_an_earlier_clary_is_read() -> None:
    spec = InstanceSpec("one", ["train"], channels={"/opt/ml/input/data/a": [Source("x", "/y", 1)]}, memory=7)
    assert InstanceSpec.from_json(_of_an_earlier_clary(spec.to_json(), FIRST_OF_SPECS)) == spec


def test_a_node_of_an_earlier_clary_is_read() -> None:
    node = Node("/instances/one", "/layers", containment="overlay", uid=2_100_000_000)
    assert Node.from_json(_of_an_earlier_clary(node.to_json(), FIRST_OF_NODES)) == node
