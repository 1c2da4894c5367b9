"""`clary interrupt`: take a managed spot training job's instances away, as AWS does when it needs them itself."""

from __future__ import annotations

from typing import Annotated

import typer

from clary.cli.options import StateOption, load_settings


def interrupt(
    name: Annotated[str, typer.Argument(help="A training job with EnableManagedSpotTraining that is running.")],
    state: StateOption = None,
) -> None:
    """Interrupt a managed spot training job: it starts again from its checkpoint."""
    from clary.cli.api import Api
    from clary.cli.console import out
    from clary.cli.environment import client_environment
    from clary.cli.launch import require_platform

    settings = load_settings(state=state)
    api = Api(client_environment(settings, require_platform(settings).url))
    api.call("clary", "InterruptTrainingJob", TrainingJobName=name)
    out.print(f"Training job {name} is interrupted. It starts again from its checkpoint.", markup=False)
