"""An image of the user's own through both versions of the SDK, as the example has it."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, run
from tests.engines.capability import needs_sandbox
from tests.oci_images import build, busybox_layer, layer, push, python_layer
from tests.platform import Platform
from tests.programs import log_lines, unique

pytestmark = [pytest.mark.clients, needs_sandbox]
EXAMPLE = EXAMPLES / "own_image"


@pytest.fixture(scope="module")
def image(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the example's Containerfile builds, of this machine's Python."""
    programs = {f"/opt/program/{name}": (EXAMPLE / "image" / name).read_bytes() for name in ("train", "serve")}
    built = build(
        tmp_path_factory.mktemp("own"),
        [busybox_layer(), python_layer(), layer({**programs, "usr/bin/env": Path("/usr/bin/busybox").read_bytes()})],
        Env=["PATH=/opt/program:/usr/bin:/bin", "PYTHONUNBUFFERED=1"],
    )
    return push(platform, built, unique("own/line"), "v1")


def test_estimator_trains_and_deploys_it(platform: Platform, image: str, tmp_path: Path) -> None:
    program = str(EXAMPLE / "estimator_v2.py")
    printed = run([client_program("v2", "python"), program, image], platform.program_environment(), tmp_path)
    assert "rows=4177 rmse=2." in printed, "the job's log was not streamed"
    assert "rings of an abalone of 0.3: 6.6, of 0.6: 11.1" in printed


def test_model_trainer_trains_it(platform: Platform, image: str, tmp_path: Path) -> None:
    program = str(EXAMPLE / "model_trainer_v3.py")
    printed = run([client_program("v3", "python"), program, image], platform.program_environment(), tmp_path)
    assert "trained by own-image-v3" in printed
    [job] = platform.client("sagemaker").list_training_jobs(NameContains="own-image-v3")["TrainingJobSummaries"]
    assert any(line.startswith("rows=4177 rmse=2.") for line in log_lines(platform, job["TrainingJobName"]))
