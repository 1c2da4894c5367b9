"""Models pickled by old releases are served by endpoints whose images name those, beside one of today's."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.platform import Platform
from tests.programs import SKLEARN, put, tar_gz, unique
from tests.services.sagemaker.hosting.test_endpoints import Endpoint, endpoint

REGISTRY = "683313688378.dkr.ecr.us-east-1.amazonaws.com"
XGBOOST_OLD, XGBOOST_NEW = f"{REGISTRY}/xgboost:0.90-2", f"{REGISTRY}/sagemaker-xgboost:latest"
__all__ = ["endpoint"]  # the fixture
ROW = [0.25, 0.5, 0.75]
DATA = f"import json, pickle, sys, numpy\nX = numpy.random.RandomState(7).rand(60, 3)\nROW = numpy.array([{ROW}])\n"
FOREST = f"""{DATA}
import sklearn
from sklearn.ensemble import RandomForestRegressor
model = RandomForestRegressor(20, random_state=1).fit(X, X.sum(axis=1))
pickle.dump(model, open(sys.argv[1], "wb"))
print(json.dumps([sklearn.__version__, float(model.predict(ROW)[0])]))
"""
BOOSTER = f"""{DATA}
import xgboost
model = xgboost.train({{"max_depth": 3}}, xgboost.DMatrix(X, label=X.sum(axis=1)), 10)
pickle.dump(model, open(sys.argv[1], "wb"))
print(json.dumps([xgboost.__version__, float(model.predict(xgboost.DMatrix(ROW))[0])]))
"""
SERVE_FOREST = """import os, pickle, sklearn
def model_fn(directory):
    return pickle.load(open(os.path.join(directory, "model.pkl"), "rb"))
def predict_fn(data, model):
    return [sklearn.__version__, float(model.predict(data.reshape(1, -1))[0])]
"""


def pickled(image: str, program: str, path: Path) -> tuple[str, float]:
    """Run `program` in the image's own environment; returns the release that wrote the pickle and its prediction."""
    done = subprocess.run([python_of(image), "-c", program, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, prediction = json.loads(done.stdout)
    return version, prediction


def test_pickles_of_old_releases_are_served(platform: Platform, endpoint: Endpoint, tmp_path: Path) -> None:
    forest = pickled(SKLEARN, FOREST, tmp_path / "forest")
    old, new = pickled(XGBOOST_OLD, BOOSTER, tmp_path / "old"), pickled(XGBOOST_NEW, BOOSTER, tmp_path / "new")
    assert (forest[0], old[0]) == ("1.2.2", "0.90")
    assert int(new[0].partition(".")[0]) >= 3

    def model(image: str, files: dict[str, bytes | str], **environment: str) -> str:
        name = unique("model")
        data = put(platform, f"{name}/model.tar.gz", tar_gz(files))
        container = {"Image": image, "ModelDataUrl": data, "Environment": environment}
        endpoint.sagemaker.create_model(
            ModelName=name, PrimaryContainer=container, ExecutionRoleArn="arn:aws:iam::123456789012:role/R"
        )
        return name

    scripted = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
    packed = {"model.pkl": (tmp_path / "forest").read_bytes(), "code/inference.py": SERVE_FOREST}
    variants = {
        "forest": model(SKLEARN, packed, **scripted),
        "old": model(XGBOOST_OLD, {"xgboost-model": (tmp_path / "old").read_bytes()}),
        "new": model(XGBOOST_NEW, {"xgboost-model": (tmp_path / "new").read_bytes()}),
    }
    description = endpoint.create(endpoint.config(*[(variant, name, 1.0) for variant, name in variants.items()]))
    assert description["EndpointStatus"] == "InService", description.get("FailureReason")

    def invoke(variant: str) -> bytes:
        answer = endpoint.runtime.invoke_endpoint(
            EndpointName=endpoint.name,
            TargetVariant=variant,
            Body=",".join(map(str, ROW)),
            ContentType="text/csv",
            Accept="application/json" if variant == "forest" else "text/csv",
        )
        body: bytes = answer["Body"].read()
        return body

    assert json.loads(invoke("forest")) == ["1.2.2", pytest.approx(forest[1], rel=1e-5)]
    assert float(invoke("old")) == pytest.approx(old[1], rel=1e-5)
    assert float(invoke("new")) == pytest.approx(new[1], rel=1e-5)
