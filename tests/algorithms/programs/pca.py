"""PCA of the SDK, from arrays to projections; prints what came of it as JSON."""

import json
import sys

import numpy as np
import sdk
from sagemaker.amazon.pca import PCA


def main(data: str) -> None:
    rows = np.load(data)
    estimator = PCA(sdk.ROLE, 1, sdk.INSTANCE, num_components=4)
    estimator.fit(estimator.record_set(rows), logs=False)
    predictor = sdk.deploy(estimator)
    found = {
        "projection": sdk.labels(predictor.predict(rows), "projection"),
        **sdk.in_text(predictor, rows[:2]),
    }
    sdk.delete(predictor)
    print(json.dumps(found))


main(sys.argv[1])
