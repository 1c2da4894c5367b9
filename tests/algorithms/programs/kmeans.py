"""KMeans of the SDK on two instances that read pipes, from arrays to predictions; prints what came of it as JSON."""

import json
import sys

import numpy as np
import sdk
from sagemaker.amazon.kmeans import KMeans


def main(data: str) -> None:
    rows = np.load(data)
    estimator = KMeans(sdk.ROLE, 2, sdk.INSTANCE, k=6, epochs=2, eval_metrics=["msd", "ssd"], input_mode="Pipe")
    train, test = estimator.record_set(rows), estimator.record_set(rows, channel="test", distribution="FullyReplicated")
    estimator.fit([train, test], mini_batch_size=500, logs=False)
    predictor = sdk.deploy(estimator)
    records = predictor.predict(rows)
    found = {
        "job": estimator.latest_training_job.name,
        "closest_cluster": sdk.labels(records, "closest_cluster"),
        "distance_to_cluster": sdk.labels(records, "distance_to_cluster"),
        **sdk.in_text(predictor, rows[:2]),
    }
    sdk.delete(predictor)
    print(json.dumps(found))


main(sys.argv[1])
