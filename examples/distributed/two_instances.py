"""Train one model on two instances, each on its own half of the data, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python two_instances.py

The data lies in S3 as four objects, of which `ShardedByS3Key` gives each instance two. The instances reach each other
by their names; what they exchange is in source/regression.py.
"""

import argparse
import csv
import json
import random
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

HERE = Path(__file__).parent
SEXES = {"I": 0.0, "F": 1.0, "M": 2.0}
PARTS = 4
INSTANCE_TYPE = "ml.m5.large"


def load(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The abalones as numbers, four fifths to train on and the rest to test with; rings come last."""
    with path.open() as lines:
        rows = [[SEXES[sex], *map(float, numbers)] for sex, *numbers in csv.reader(lines)]
    random.Random(7).shuffle(rows)
    boundary = len(rows) * 4 // 5
    return np.array(rows[:boundary]), np.array(rows[boundary:])


def upload(session: sagemaker.Session, rows: np.ndarray, distribution: str = "ShardedByS3Key") -> TrainingInput:
    prefix = "distributed-abalone/train"
    for part in range(PARTS):
        text = "\n".join(",".join(map(str, row)) for row in rows[part::PARTS])
        session.upload_string_as_file_body(text, session.default_bucket(), f"{prefix}/part-{part}.csv")
    return TrainingInput(f"s3://{session.default_bucket()}/{prefix}/", distribution=distribution)


def read_model(session: sagemaker.Session, uri: str) -> dict[str, np.ndarray]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    with tempfile.TemporaryDirectory() as directory:
        session.download_data(directory, bucket, key)
        with tarfile.open(Path(directory, "model.tar.gz")) as archive:
            model = json.load(archive.extractfile("model.json"))
    return {name: np.array(values) for name, values in model.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    train, test = load(arguments.data)
    image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type=INSTANCE_TYPE)
    estimator = Estimator(
        image_uri=image,
        entry_point="regression.py",
        source_dir=str(HERE / "source"),
        instance_type=INSTANCE_TYPE,
        instance_count=2,
        role=arguments.role,
        hyperparameters={"steps": 500, "rate": 0.2},
        base_job_name="distributed-abalone",
        sagemaker_session=session,
    )
    estimator.fit({"train": upload(session, train)}, wait=True, logs="All")

    model = read_model(session, estimator.model_data)
    inputs = np.column_stack([np.ones(len(test)), (test[:, :-1] - model["mean"]) / model["deviation"]])
    error = float(np.sqrt(np.mean((inputs @ model["weights"] - test[:, -1]) ** 2)))
    print(f"{len(test)} predictions, RMSE {error:.3f} rings")


if __name__ == "__main__":
    main()
