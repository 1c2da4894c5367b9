"""An engine whose instances might as well be on another machine: nothing of theirs can be opened from here."""

from pathlib import Path

from clary.engines.process import ProcessEngine
from clary.settings import Settings

NODE = "127.0.0.1"
"""The address of the machine that the instances are on."""


class RemoteProcessEngine(ProcessEngine):
    shares_disk = False

    def output(self, instance_id: str, _name: str) -> Path | None:
        self.poll(instance_id)
        return None


def open_remote(settings: Settings) -> RemoteProcessEngine:
    """`clary up --engine tests.engines.remote:open_remote`."""
    return RemoteProcessEngine(
        settings.instances_dir,
        settings.layers_dir,
        settings.sandbox,
        environments_dir=settings.environments,
        bind=NODE,
    )
