"""A TorchScript model behind an endpoint of PyTorch's image, with no script at all."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.platform import Platform
from tests.programs import put, tar_gz, unique
from tests.services.sagemaker.hosting.test_endpoints import ROLE, Endpoint
from tests.toolkits.test_torch_frameworks import PYTORCH, SCRIPTED

pytestmark = pytest.mark.slow


def test_torchscript_is_deployed_without_a_script(platform: Platform, tmp_path: Path) -> None:
    saved = tmp_path / "model.pth"
    subprocess.run([python_of(PYTORCH), "-c", SCRIPTED, str(saved)], check=True)
    endpoint, name = Endpoint(platform), unique("torch")
    endpoint.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": f"763104351884.dkr.ecr.us-east-1.amazonaws.com/{PYTORCH}",
            "ModelDataUrl": put(platform, f"{name}/model.tar.gz", tar_gz({"model.pth": saved.read_bytes()})),
        },
        ExecutionRoleArn=ROLE,
    )
    endpoint.create(endpoint.config(("all", name, 1.0)))
    assert endpoint.settled()["EndpointStatus"] == "InService"
    answer = endpoint.runtime.invoke_endpoint(
        EndpointName=endpoint.name, ContentType="application/json", Body="[[1, 1], [2, 0.5]]"
    )
    assert json.loads(answer["Body"].read()) == [[4.0], [5.0]]
