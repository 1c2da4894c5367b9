"""What every framework's image does where the user's script leaves a function out."""

from typing import Any, NoReturn, Protocol

from clary.toolkits import encoders
from clary.toolkits.http import Response


class Framework(Protocol):
    """The functions have the script contract's names and signatures."""

    needs_script: bool
    """Whether it can do nothing without a script."""

    def model_fn(self, model_dir: str) -> Any: ...

    def input_fn(self, body: str | bytes, content_type: str) -> Any: ...

    def predict_fn(self, data: Any, model: Any) -> Any: ...

    def output_fn(self, prediction: Any, accept: str) -> Any: ...

    def join(self, several: list[Any]) -> Any:
        """What `input_fn` gave for several requests as one input of `predict_fn`; None where they do not go together,
        or never do."""

    def part(self, prediction: Any, sizes: list[int]) -> list[Any]:
        """The prediction for what was joined, by the sizes of what it was joined of."""
        ...


class Defaults:
    needs_script = True

    def join(self, _several: list[Any]) -> Any:
        return None

    def part(self, _prediction: Any, _sizes: list[int]) -> list[Any]:
        raise NotImplementedError

    def model_fn(self, model_dir: str) -> NoReturn:
        raise NotImplementedError(
            "Please provide a model_fn implementation.\n"
            "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk"
        )

    def output_fn(self, prediction: Any, accept: str) -> Response:
        """Encode in the first format of `accept` that is known."""
        for content_type in accept.split(","):
            try:
                body = encoders.encode(prediction, content_type)
            except encoders.UnsupportedFormat:
                continue
            return Response(body, encoders.media_type(content_type))
        raise encoders.UnsupportedFormat(accept)
