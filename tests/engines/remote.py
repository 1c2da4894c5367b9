"""An engine whose instances might as well be on another machine: nothing of theirs can be opened from here."""

from pathlib import Path

from clary.engines.process import ProcessEngine
from clary.settings import Settings

NODE = "127.0.0.1"
"""The address of the machine that the instances are on."""


class RemoteProcessEngine(ProcessEngine):
    shares_disk = False

    def output(self, instance_id: str, name: str) -> Path | None:
        raise AssertionError(f"{name} of {instance_id} lies on another machine")


def open_remote(settings: Settings) -> RemoteProcessEngine:
    """`clary up --engine tests.engines.remote:open_remote`."""
    return RemoteProcessEngine(
        settings.instances_dir,
        settings.layers_dir,
        settings.sandbox,
        environments_dir=settings.environments,
        bind=NODE,
    )
