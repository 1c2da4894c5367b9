"""The optional last argument of a script's functions: the request's headers in, the answer's headers out.

    def output_fn(prediction, accept, context):
        context.set_response_header(0, "X-Amzn-SageMaker-Custom-Attributes", "trace=1")

It has those methods of the context that AWS's inference toolkit passes which speak of one request; the
index that they take is that of a request within a batch, and always 0.
"""

import inspect
from collections.abc import Callable
from typing import Any

from clary.toolkits.http import Response


class Context:
    def __init__(self, model_dir: str, headers: dict[str, str]) -> None:
        self.system_properties = {"model_dir": model_dir, "gpu_id": None}
        self._headers = headers
        self._answer: dict[str, str] = {}
        self._content_type = ""
        self._status = 0

    def get_request_header(self, _index: int, name: str) -> str | None:
        return self._headers.get(name.lower())

    def get_all_request_header(self, _index: int) -> dict[str, str]:
        return dict(self._headers)

    def set_response_header(self, _index: int, name: str, value: str) -> None:
        self._answer[name] = value

    def set_response_content_type(self, _index: int, content_type: str) -> None:
        self._content_type = content_type

    def set_response_status(self, code: int = 200, _phrase: str = "", _index: int = 0) -> None:
        self._status = code

    def apply_to(self, response: Response) -> Response:
        """The response with what the script's functions set on the way."""
        response.headers |= self._answer
        response.content_type = self._content_type or response.content_type
        response.status = self._status or response.status
        return response


def takes_context(function: Callable[..., Any], arguments: int) -> bool:
    """Whether a function has a parameter beyond the `arguments` that it always gets."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return sum(parameter.kind in kinds for parameter in parameters) == arguments + 1
