"""RandomCutForest of the SDK on two instances, from arrays to scores; prints what came of it as JSON."""

import json
import sys

import numpy as np
import sdk
from sagemaker import RandomCutForest


def main(rows_file: str, labels_file: str) -> None:
    rows, labels = np.load(rows_file), np.load(labels_file)
    estimator = RandomCutForest(
        role=sdk.ROLE, instance_count=2, instance_type=sdk.INSTANCE, num_trees=60, num_samples_per_tree=100
    )
    train = estimator.record_set(rows)
    test = estimator.record_set(rows, labels, channel="test", distribution="FullyReplicated")
    estimator.fit([train, test], logs=False)
    predictor = sdk.deploy(estimator)
    found = {
        "job": estimator.latest_training_job.name,
        "score": sdk.labels(predictor.predict(rows), "score"),
        **sdk.in_text(predictor, rows[:2]),
    }
    sdk.delete(predictor)
    print(json.dumps(found))


main(*sys.argv[1:])
