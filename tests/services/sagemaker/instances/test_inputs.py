"""What a job is told of inputs that it cannot have."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from clary.objects import versions
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import locate, prefix_sources
from tests.objects.conftest import open_at, put, with_bucket


def test_an_archived_object_is_named(tmp_path: Path) -> None:
    store = with_bucket(open_at(tmp_path))
    put(store, tmp_path, "train/a.csv", b"1")
    archived = {"StorageClass": "GLACIER"}
    store.change(lambda c: versions.set_headers(c, versions.find(c, "data", b"train/a.csv"), archived))
    house: Any = SimpleNamespace(objects=store, engine=SimpleNamespace(shares_disk=True))
    with pytest.raises(JobError, match=r"s3://data/train/a\.csv is archived"):
        prefix_sources(house, "s3://data/train")
    with pytest.raises(JobError, match=r"s3://data/train/a\.csv is archived"):
        locate(house, "s3://data/train/a.csv")
    store.close()
