"""Any class of the SDK's own algorithms whose requests are rows, from arrays to predictions; prints what came of it.

Arguments: the class, its parameters and those of `fit` as JSON, a file of arrays: `<channel>_rows`, `<channel>_labels`,
and `asked`, the rows that are predicted.
"""

import json
import sys
from typing import Any

import numpy as np
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer
from sdk import INSTANCE, ROLE, delete, deploy, in_text


def main(name: str, parameters: dict[str, Any], fitting: dict[str, Any], path: str) -> None:
    arrays = np.load(path)
    # LDA knows of one instance only, and has no parameter for their number.
    count = {} if name == "LDA" else {"instance_count": 1}
    estimator = getattr(sagemaker, name)(role=ROLE, instance_type=INSTANCE, **count, **parameters)
    channels = [key.removesuffix("_rows") for key in arrays if key.endswith("_rows")]
    records = [
        estimator.record_set(arrays[f"{each}_rows"], arrays.get(f"{each}_labels"), channel=each) for each in channels
    ]
    estimator.fit(records, logs=False, **fitting)
    predictor = deploy(estimator)
    asked = arrays["asked"]
    found = predictor.predict(asked)
    told = {
        "job": estimator.latest_training_job.name,
        "records": {
            label: [list(record.label[label].float32_tensor.values) for record in found] for label in found[0].label
        },
        "instances": Predictor(
            predictor.endpoint_name, serializer=JSONSerializer(), deserializer=JSONDeserializer()
        ).predict({"instances": [{"features": row.tolist()} for row in asked[:2]]}),
        **in_text(predictor, asked[:2]),
    }
    delete(predictor)
    print(json.dumps(told))


main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4])
