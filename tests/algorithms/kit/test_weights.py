"""What instances make of their networks, by the library that the image has."""

from tests.algorithms.walk import reference

MEETING = """
import json, os, threading
import torch
from clary.algorithms.kit.team import Team
from clary.algorithms.kit.weights import average

loopback = f"127.{64 + os.getpid() % 128}.{os.getpid() // 128 % 256}"  # The port is one for all who run this.
hosts, networks = [f"{loopback}.1", f"{loopback}.2"], []
for number, batches in ((0, 3), (1, 8)):
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    for _ in range(batches):
        network(torch.randn(4, 1, 5, 5) + number)
    networks.append(network)
before = [{name: tensor.clone() for name, tensor in each.state_dict().items()} for each in networks]

def instance(number):
    average(Team(hosts, hosts[number]), networks[number], (1, 3)[number])

threads = [threading.Thread(target=instance, args=(number,)) for number in (0, 1)]
[each.start() for each in threads]
[each.join() for each in threads]
first, second = (each.state_dict() for each in networks)
means = {name: (before[0][name] + 3 * before[1][name]) / 4 for name in first}
print(json.dumps({
    "same": all(torch.equal(first[name], second[name]) for name in first),
    "furthest": max(float((first[name] - means[name]).abs().max()) for name in first if first[name].ndim),
    "batches": first["1.num_batches_tracked"].item(),
    "kind": str(first["1.num_batches_tracked"].dtype),
}))
"""


def test_instances_meet_in_the_mean_of_their_networks() -> None:
    found = reference("image-classification:1", MEETING)
    assert found["same"]
    assert found["furthest"] < 1e-6
    assert (found["batches"], found["kind"]) == (6, "torch.int64")  # (3 + 3 · 8) / 4, cut off.
