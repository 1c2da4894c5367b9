"""Pictures as the network sees them in training, made where their library is."""

import json
import os
import subprocess

from tests.algorithms.walk import PROGRAMS
from tests.environments import clary_alone, python_of


def test_boxes_stay_at_what_is_in_them() -> None:
    command = [python_of("object-detection:1"), str(PROGRAMS / "views.py")]
    environment = {**os.environ, "PYTHONPATH": clary_alone()}
    told = json.loads(subprocess.check_output(command, env=environment, text=True))
    assert told["error"] < 1.01
    assert 100 < told["both"] < 200
    assert told["widths"][0] < 60 < 100 < 160 < told["widths"][-1] <= 200
