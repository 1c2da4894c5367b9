"""Print as JSON what version 2 of the SageMaker SDK knows of the built-in algorithms that it is given the names of:
`images`, of every version and region, and `hyperparameters`, by the repository of the class that declares them."""

import functools
import json
import sys

from sagemaker import image_uris, utils
from sagemaker.amazon import (
    factorization_machines,
    ipinsights,
    kmeans,
    knn,
    lda,
    linear_learner,
    ntm,
    object2vec,
    pca,
    randomcutforest,
)
from sagemaker.amazon.amazon_estimator import AmazonAlgorithmEstimatorBase
from sagemaker.amazon.hyperparameter import Hyperparameter

# The SDK reads botocore's list of all endpoints again for each image.
utils._botocore_resolver = functools.cache(utils._botocore_resolver)

MODULES = (factorization_machines, ipinsights, kmeans, knn, lda, linear_learner, ntm, object2vec, pca, randomcutforest)


def images(name: str) -> list[str]:
    versions = image_uris.config_for_framework(name)["versions"]
    return [
        image_uris.retrieve(name, region, version)
        for version, found in versions.items()
        for region in found["registries"]
    ]


def hyperparameters() -> dict[str, list[str]]:
    classes = {
        thing
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, AmazonAlgorithmEstimatorBase) and thing.repo_name
    }
    return {
        each.repo_name: [
            value.name for kind in each.__mro__ for value in vars(kind).values() if isinstance(value, Hyperparameter)
        ]
        for each in classes
    }


print(json.dumps({"images": {name: images(name) for name in sys.argv[1:]}, "hyperparameters": hyperparameters()}))
