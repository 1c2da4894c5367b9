"""What is said of a channel that cannot be read: AWS's words for it, and after them the file and its record or line.

The words are those of the kit of AWS's own algorithms, of which a copy is public: `convert_to_customer_data_errors` and
`DataShapeError` in `src/vw-serving` of github.com/aws/sagemaker-rl-container.
"""

import math
import os

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel


class UnsoundError(ValueError):
    """A feature or a label is missing, infinite, too large, or negative where it may not be."""

    def __init__(self, what: str, value: float) -> None:
        super().__init__(what)
        self.value = value


class WidthError(ValueError):
    """Rows have another number of features than `feature_dim`."""

    def __init__(self, what: str, features: int, expected: int) -> None:
        super().__init__(what)
        self.features = features
        self.expected = expected


def unreadable(channel: Channel, path: str, error: Exception) -> UserError:
    """`error` tells the place in the file, and what is wrong there."""
    return UserError(f"{_words(channel, error)}\n\nCaused by: {os.path.basename(path)}: {error}")


def _words(channel: Channel, error: Exception) -> str:
    name = channel.name
    match error:
        case WidthError():
            return (
                f"Incorrect configuration or {name} dataset provided. The value of feature_dim hyperparameter "
                f"'{error.expected}' doesn't match {name} data dimensionality '{error.features}'. Please set "
                f"feature_dim to the number of features in {name} dataset."
            )
        case UnsoundError() if math.isnan(error.value):
            why = "Found missing (NaN) values. Please remove any missing (NaN) values in the input data."
        case UnsoundError() if math.isinf(error.value):
            why = (
                "Found infinite floating point values. Please remove any infinite floating point values in the input "
                "data."
            )
        case _:
            why = (
                f"Requested content-type is {channel.content_type!r}. Please verify the data matches the requested "
                "content-type."
            )
    return f"Unable to read data channel {name!r}. {why} (caused by {type(error).__name__})"
