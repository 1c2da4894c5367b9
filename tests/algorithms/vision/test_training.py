"""The parts of the loop that all networks on pictures learn in, by the library that the image has."""

import pytest

from tests.algorithms.walk import reference

IMAGE = "image-classification:1"
RATES = """
import json
from clary.algorithms.vision.descent import rate_at
given = {"learning_rate": 0.5, "epochs": 10, "num_training_samples": 95, "mini_batch_size": 10,
         "lr_scheduler_factor": 0.1, "lr_scheduler_step": [2, 5]}
kinds = {
    "step": [rate_at(given, epoch, 50) for epoch in range(7)],
    "first": [rate_at(given, 0, step) for step in range(7)],
}
for kind in ("poly", "cosine"):
    kinds[kind] = [rate_at({**given, "lr_scheduler": kind}, 0, steps) for steps in (25, 50, 100, 101)]
print(json.dumps(kinds))
"""


def test_the_learning_rate_falls_as_it_is_asked_to() -> None:
    found = reference(IMAGE, RATES)
    assert found["step"] == pytest.approx([0.5, 0.5, 0.05, 0.05, 0.05, 0.005, 0.005])
    assert found["first"] == pytest.approx([0.5 / 6, 1 / 6, 0.25, 2 / 6, 2.5 / 6, 0.5, 0.5])
    assert found["poly"] == pytest.approx([0.5 * 0.75**0.9, 0.5 * 0.5**0.9, 0, 0])
    assert found["cosine"] == pytest.approx([0.25 * (1 + 0.5**0.5), 0.25, 0, 0])


AHEAD = """
import json, threading
from clary.algorithms.vision.feeding import ahead
second = threading.Event()

def make(number):
    if number == 0:
        assert second.wait(30)  # It is made while the first one is waited for.
    if number == 1:
        second.set()
    if number == 40:
        raise ValueError("forty")
    return number

seen = []
try:
    for number in ahead(make, range(100)):
        seen.append(number)
except ValueError as error:
    print(json.dumps([seen, str(error), threading.active_count()]))
"""


def test_batches_are_made_ahead_and_come_in_their_order() -> None:
    assert reference(IMAGE, AHEAD) == [list(range(40)), "forty", 1]
