"""What the platform and a model manager tell each other in headers of an invocation and of its answer."""

import hashlib
import hmac

TARGET = "x-amzn-sagemaker-target-model"
"""In: which model is meant, the name of its archive below the prefix. The container gets it too."""
LOCATION = "x-clary-model-location"
"""In: where the archive is read, a path of this disk or a URL."""
GRANT = "x-clary-model-grant"
"""In: that the platform says so. Others reach a server too, the program itself for one."""
OUTCOME = "x-clary-model"
"""Out, where the manager and not the container answers: one of"""
WANTED, NOT_READY, NOT_LOADED = "wanted", "not-ready", "not-loaded"
FIGURES = "x-clary-model-figures"
"""Out: JSON of `Figures`."""


def grant(secret: str, target: str, location: str) -> str:
    return hmac.digest(secret.encode(), f"{target}\n{location}".encode(), hashlib.sha256).hex()


def is_granted(secret: str, target: str, location: str, given: str) -> bool:
    return hmac.compare_digest(grant(secret, target, location), given)
