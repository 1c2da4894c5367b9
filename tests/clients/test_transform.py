"""Batch transform through version 2 and version 3 of the SageMaker SDK."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, errors_in_rings, run
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, SKLEARN, put, stored, tar_gz, unique

pytestmark = pytest.mark.clients

UPPER = """
def model_fn(model_dir):
    return str.upper

def input_fn(body, content_type):
    return body

def predict_fn(text, model):
    return model(text)

def output_fn(prediction, accept):
    return prediction
"""
TRANSFORM = """
import sys
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.transformer import Transformer

model, uri = sys.argv[1:]
transformer = Transformer(
    model_name=model, instance_count=1, instance_type="ml.m5.large", assemble_with="Line", accept="text/csv",
    strategy="SingleRecord", output_path=f"{uri}/out", base_transform_job_name="upper", sagemaker_session=Session(),
)
transformer.transform(f"{uri}/in/", content_type="text/csv", split_type="Line")
print("status", transformer.latest_transform_job.transform_job_status)
"""


def test_v2_joins_predictions_with_what_the_model_did_not_see(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "transform_v2" / "transform.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    assert "BatchStrategy=MULTI_RECORD" in printed, "the job's data log was not streamed"
    assert "1253 abalones, off by" in printed
    assert errors_in_rings(printed.splitlines()[-1])[0] < 2.5


def test_v3_transforms_with_a_script(platform: Platform, tmp_path: Path) -> None:
    name = unique("upper")
    container = {
        "Image": SKLEARN,
        "ModelDataUrl": put(platform, f"{name}/model.tar.gz", tar_gz({"code/inference.py": UPPER})),
        "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
    }
    platform.client("sagemaker").create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    put(platform, f"{name}/in/words.csv", "a,b\nc,d\n")
    (tmp_path / "transform.py").write_text(TRANSFORM)
    command = [client_program("v3", "python"), "transform.py", name, f"s3://{BUCKET}/{name}"]
    printed = run(command, platform.program_environment(), tmp_path)
    assert stored(platform, f"{name}/out/") == {"words.csv.out": "A,B\nC,D\n"}
    assert "status Completed" in printed
