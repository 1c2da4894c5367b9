"""What the platform itself keeps of the instances that it put on a cluster: nothing of it is lost with a node.

<directory>/namespace        of this platform's actors, so that platforms may share a cluster
<directory>/<id>/
    spec.json gang.json      what it was told, and its gang
    placed                   its node's address, once it has an actor
    stop                     it is to stop, or never to begin
    status.json              the last that is known of it
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clary.files import write_atomically
from clary.instance.spec import InstanceSpec, InstanceStatus


@dataclass(frozen=True, slots=True)
class Gang:
    name: str
    """Never used again, unlike the ids of its instances."""
    ids: list[str]


class Ledger:
    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def namespace(self) -> str:
        path = self._directory / "namespace"
        if not path.exists():
            write_atomically(str(path), f"clary-{uuid.uuid4().hex[:12]}", durable=True)
        return path.read_text()

    def write(self, specs: Sequence[InstanceSpec]) -> Gang:
        """Instances that are there already are left as they are, and what is missing of their gang joins them."""
        known = next((spec.id for spec in specs if self.holds(spec.id)), None)
        gang = self.gang(known) if known else Gang(uuid.uuid4().hex, [spec.id for spec in specs])
        for spec in specs:
            entry = self._directory / spec.id
            if not self.holds(spec.id):
                entry.mkdir(exist_ok=True, mode=0o700)
                write_atomically(str(entry / "gang.json"), json.dumps(asdict(gang)))
                write_atomically(str(entry / "spec.json"), spec.to_json())
        return gang

    def ids(self) -> list[str]:
        return [path.parent.name for path in self._directory.glob("*/spec.json")]

    def holds(self, instance_id: str) -> bool:
        return (self._directory / instance_id / "spec.json").exists()

    def spec(self, instance_id: str) -> InstanceSpec:
        return InstanceSpec.from_json(self._read(instance_id, "spec.json"))

    def gang(self, instance_id: str) -> Gang:
        return Gang(**json.loads(self._read(instance_id, "gang.json")))

    def placed(self, instance_id: str) -> str:
        """The address of its node; empty before it has one."""
        return self._read(instance_id, "placed", "")

    def place(self, instance_id: str, address: str) -> None:
        self._write(instance_id, "placed", address)

    def is_stopped(self, instance_id: str) -> bool:
        return bool(self._read(instance_id, "stop", ""))

    def stop(self, instance_id: str) -> None:
        self._write(instance_id, "stop", "stop")

    def status(self, instance_id: str) -> InstanceStatus:
        text = self._read(instance_id, "status.json", "")
        return InstanceStatus.from_json(text) if text else InstanceStatus()

    def keep(self, instance_id: str, status: InstanceStatus) -> None:
        self._write(instance_id, "status.json", status.to_json())

    def remove(self, instance_id: str) -> None:
        self._read(instance_id, "spec.json")
        # The file by which it counts as there goes first: a removal that is cut short has been one.
        (self._directory / instance_id / "spec.json").unlink()
        shutil.rmtree(self._directory / instance_id)

    def _read(self, instance_id: str, name: str, missing: str | None = None) -> str:
        """Raises `KeyError` where there is no such instance."""
        try:
            return (self._directory / instance_id / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            if missing is None or not self.holds(instance_id):
                raise KeyError(instance_id) from None
            return missing

    def _write(self, instance_id: str, name: str, text: str) -> None:
        try:
            write_atomically(str(self._directory / instance_id / name), text)
        except FileNotFoundError:
            raise KeyError(instance_id) from None
