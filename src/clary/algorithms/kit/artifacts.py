"""Models of algorithms that AWS built on MXNet: a zip archive of a network's parameters, and what else is to be known.

model_algo-1: mx-mod-0000.params (arrays by their names in the network), additional-params.json
"""

import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from clary.algorithms.kit.ndarrays import read_arrays, write_arrays
from clary.algorithms.kit.soundness import require_sound

MODEL = "model_algo-1"
ARRAYS, FACTS = "mx-mod-0000.params", "additional-params.json"


def save_network(directory: str, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
    """`facts` are what JSON holds. Raises `UserError` for arrays of what is no number."""
    require_sound(arrays)
    with zipfile.ZipFile(os.path.join(directory, MODEL), "w") as archive:
        with tempfile.NamedTemporaryFile(dir=directory) as file:
            write_arrays(file.name, arrays)
            archive.write(file.name, ARRAYS)
        archive.writestr(FACTS, json.dumps(facts))


def load_network(directory: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    with tempfile.TemporaryDirectory() as opened, zipfile.ZipFile(os.path.join(directory, MODEL)) as archive:
        return read_arrays(archive.extract(ARRAYS, opened)), json.loads(archive.read(FACTS))
