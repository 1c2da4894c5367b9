"""A serverless endpoint through version 2 of the SageMaker SDK."""

from pathlib import Path

import pytest

from tests.clients.programs import client_program, run
from tests.platform import Platform
from tests.programs import put, tar_gz, unique

pytestmark = pytest.mark.clients

INFERENCE = """
def model_fn(model_dir):
    return open(model_dir + "/word.txt").read()

def predict_fn(data, model):
    return [model, *data.tolist()]
"""
DEPLOY = """
import sys
from sagemaker.deserializers import JSONDeserializer
from sagemaker.serializers import JSONSerializer
from sagemaker.serverless import ServerlessInferenceConfig
from sagemaker.sklearn import SKLearnModel

model = SKLearnModel(
    model_data=sys.argv[1], role="arn:aws:iam::123456789012:role/SageMakerRole", entry_point="inference.py",
    framework_version="1.2-1",
)
predictor = model.deploy(
    serverless_inference_config=ServerlessInferenceConfig(memory_size_in_mb=2048, max_concurrency=3),
    serializer=JSONSerializer(), deserializer=JSONDeserializer(),
)
print("predicted", predictor.predict([1, 2]))
predictor.delete_endpoint()
"""


def test_a_model_is_deployed_without_instances(platform: Platform, tmp_path: Path) -> None:
    uri = put(platform, f"{unique('serverless')}/model.tar.gz", tar_gz({"word.txt": "a"}))
    (tmp_path / "inference.py").write_text(INFERENCE)
    (tmp_path / "deploy.py").write_text(DEPLOY)
    command = [client_program("v2", "python"), "deploy.py", uri]
    printed = run(command, platform.program_environment(), tmp_path)
    assert "predicted ['a', 1.0, 2.0]" in printed
