"""KNN of the SDK, from arrays to predictions; prints what came of it as JSON."""

import json
import sys

import boto3
import numpy as np
import sdk
from sagemaker.amazon.knn import KNN


def main(rows_file: str, labels_file: str) -> None:
    rows, labels = np.load(rows_file), np.load(labels_file)
    estimator = KNN(sdk.ROLE, 1, sdk.INSTANCE, k=5, sample_size=700, predictor_type="classifier")
    train, test = estimator.record_set(rows[:700], labels[:700]), estimator.record_set(rows[700:], labels[700:], "test")
    estimator.fit([train, test], logs=False)
    predictor = sdk.deploy(estimator)
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=predictor.endpoint_name,
        ContentType="application/json",
        Accept="application/jsonlines; verbose=true",
        Body=json.dumps({"instances": [{"features": row} for row in rows[700:702].tolist()]}),
    )
    found = {
        "job": estimator.latest_training_job.name,
        "predicted_label": sdk.labels(predictor.predict(rows[700:]), "predicted_label"),
        "verbose": [json.loads(line) for line in answer["Body"].read().splitlines()],
        **sdk.in_text(predictor, rows[700:702]),
    }
    sdk.delete(predictor)
    print(json.dumps(found))


main(*sys.argv[1:])
