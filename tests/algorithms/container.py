"""Channels of algorithms in a container's `/opt/ml`, and how their jobs end there."""

import json
import signal
from collections.abc import Mapping

import numpy as np
from scipy.sparse import csr_matrix

from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.toolkits.recordio_writing import write_records, write_sparse_records
from tests.toolkits.container import Container


def write_tables(container: Container, **tables: np.ndarray) -> None:
    """Each as the CSV of that name's channel."""
    for name, table in tables.items():
        directory = _channel(container, name, CSV)
        np.savetxt(f"{directory}/data.csv", table, fmt="%.9g", delimiter=",")


def write_rows(
    container: Container, name: str, rows: np.ndarray, labels: np.ndarray | None = None, *, sparse: bool = False
) -> None:
    """As the RecordIO of that name's channel."""
    directory = _channel(container, name, RECORDIO)
    if sparse:
        assert labels is not None
        written = sparse_records(rows, labels)
    else:
        written = write_records({"values": rows}, {} if labels is None else {"values": labels})
    with open(f"{directory}/data.pbr", "wb") as file:
        file.write(written)


def write_files(container: Container, content_type: str = "", **channels: Mapping[str, str | bytes]) -> None:
    """As the files of each channel, by their names; without a content type the channels name none."""
    for name, files in channels.items():
        directory = _channel(container, name, content_type)
        for file, content in files.items():
            with open(f"{directory}/{file}", "wb") as written:
                written.write(content.encode() if isinstance(content, str) else content)


def stop_when_it_says(container: Container, words: str, *arguments: str) -> None:
    """Run a module until a line has these words, and have SIGTERM end it well."""
    process = container.start(*arguments)
    assert process.stdout is not None
    assert any(words in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def refusal(container: Container, *arguments: str) -> str:
    """Why a module did not do what it was asked; it is the user's mistake."""
    status, output = container.run(*arguments)
    assert status != 0, output
    assert container.failure
    assert container.failure.startswith("ClientError: ")
    return container.failure


def _channel(container: Container, name: str, content_type: str) -> str:
    path = container.root / "input/config/inputdataconfig.json"
    settings = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    settings |= {"ContentType": content_type} if content_type else {}
    container.configure("inputdataconfig", {**json.loads(path.read_text()), name: settings})
    directory = container.root / "input/data" / name
    directory.mkdir(exist_ok=True)
    return str(directory)


def sparse_records(rows: np.ndarray, labels: np.ndarray) -> bytes:
    """As the SDK's `write_spmatrix_to_sparse_tensor` writes them: keys and shape beside the values."""
    return write_sparse_records(csr_matrix(rows), labels)
