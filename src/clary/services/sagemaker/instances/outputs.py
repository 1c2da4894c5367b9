"""What instances leave, as a path of this disk, wherever they ran.

    the engine shares this disk    the file or directory that the agent kept
    it does not                    agent ─PUT▶ the platform's own bucket ─▶ <state>/collected/<instance>/<name>

Nothing is at its place in a user's bucket before a family puts it there, and that way is the same for all engines. What
was stored on the way goes with the instance.
"""

import os
import shutil
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from clary.control.house import House
from clary.control.reach import destination
from clary.instance.data.packing import unpack
from clary.instance.errors import Refused
from clary.instance.spec import InstanceSpec, Output
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri

PREFIX = "outputs"
AT_ONCE = 8
"""Files that are stored at a time: each waits for the disk."""


def with_destinations(house: House, specs: Sequence[InstanceSpec]) -> Sequence[InstanceSpec]:
    """The specs with a destination for each output, where the engine needs them."""
    if house.engine.shares_disk or not any(spec.outputs for spec in specs):
        return specs
    bucket = house.objects.own_bucket()

    def placed(spec: InstanceSpec, output: Output) -> Output:
        key = _key(spec.id, output.name, packed=output.packed)
        return replace(output, destination=destination(house, bucket, key, spec.max_runtime))

    return [replace(spec, outputs=[placed(spec, output) for output in spec.outputs]) for spec in specs]


def output_of(house: House, instance_id: str, name: str) -> Path | None:
    """What an instance that has ended left under `name`, a file that may be linked and not written, or a directory;
    None where there is nothing. Raises `JobError` for a directory that cannot be had."""
    try:
        if house.engine.shares_disk:
            return house.engine.output(instance_id, name)
        if name not in house.engine.poll(instance_id).stored:
            return None
    except KeyError:
        return None
    return _collected(house, instance_id, name)


def store_files(house: House, directory: Path, uri: str) -> int:
    """Store each file below the directory under the S3 URI; returns how many there were. Raises `JobError`."""
    bucket, prefix = split_s3_uri(uri)

    def store(path: Path) -> None:
        name = path.relative_to(directory).as_posix()
        key = f"{prefix.rstrip('/')}/{name}" if prefix else name
        try:
            house.objects.adopt(bucket, key, path)
        except KeyError:
            raise JobError(
                f'ClientError: Failed to upload {name}: the bucket "{bucket}" of {uri} does not exist.'
            ) from None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Exhausted, so that the first failure is raised.
        return sum(1 for _ in pool.map(store, _files(directory)))


def _files(directory: Path) -> Iterator[Path]:
    """Every regular file below; the program may have left links and pipes, which are passed over."""
    for parent, _, names in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def discard(house: House, instance_id: str) -> None:
    """Remove what was stored and collected of an instance."""
    if house.engine.shares_disk:
        return
    shutil.rmtree(house.settings.collected_dir / instance_id, ignore_errors=True)
    bucket = house.objects.own_bucket()
    for found in list(house.objects.list(bucket, f"{PREFIX}/{instance_id}/")):
        house.objects.remove(bucket, found.key)


def _collected(house: House, instance_id: str, name: str) -> Path:
    directory = house.settings.collected_dir / instance_id
    directory.mkdir(parents=True, exist_ok=True)
    path, bucket = directory / name, house.objects.own_bucket()
    try:
        _bring(house.objects.locate(bucket, _key(instance_id, name, packed=True)), path)
    except KeyError:
        archive = directory / f"{name}.tar"
        _bring(house.objects.locate(bucket, _key(instance_id, name, packed=False)), archive)
        shutil.rmtree(path, ignore_errors=True)
        try:
            unpack(str(archive), str(path), lambda: None)
        except Refused as refused:
            raise JobError(str(refused)) from None
    return path


def _bring(location: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    if location.startswith("/"):
        os.link(location, path)
        return
    with urllib.request.urlopen(location) as answer, path.open("wb") as file:
        shutil.copyfileobj(answer, file)


def _key(instance_id: str, name: str, *, packed: bool) -> str:
    return f"{PREFIX}/{instance_id}/{'files' if packed else 'trees'}/{name}"
