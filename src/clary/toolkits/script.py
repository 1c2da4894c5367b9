"""The user's inference script as a service.

    body → input_fn → predict_fn → output_fn → response        or        body → transform_fn → response

A function that the script leaves out is the framework's own.
"""

import importlib.util
import json
import os
import sys
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

from clary.toolkits import encoders
from clary.toolkits.context import Context, takes_context
from clary.toolkits.defaults import Framework
from clary.toolkits.http import Request, Response
from clary.toolkits.layout import opt_ml

DEFAULT_PROGRAM = "inference.py"
LOADING = threading.Lock()

Transform = Callable[[Any, str | bytes, str, str], Any]
"""Model, body, content type, accept → what `to_response` understands."""


class ScriptService:
    def __init__(self, framework: Framework) -> None:
        self._framework = framework

    def load(self, directory: str) -> None:
        self._directory = directory
        # One thread calls all methods, so that one context, that of the request under way, is enough.
        self._context = Context(directory, {})
        # What is unpickled looks for its classes among the modules, which another model would put its own into.
        with LOADING:
            self._script = import_script(directory, optional=not self._framework.needs_script)
            self._transform = self._find_transform()
            self._execution_parameters = getattr(self._script, "execution_parameters_fn", None)
            self._model = self._function("model_fn", arguments=1)(directory)

    def invoke(self, request: Request) -> Response:
        body, content_type, accept = _read(request)
        self._context = Context(self._directory, request.headers)
        result = self._transform(self._model, body, content_type, accept)
        return self._context.apply_to(to_response(result, accept))

    @property
    def batches(self) -> bool:
        """Where the framework's own functions predict: a script's are handed one request at a time, as AWS's do."""
        return not any(hasattr(self._script, name) for name in ("input_fn", "predict_fn", "output_fn", "transform_fn"))

    def invoke_many(self, requests: list[Request]) -> list[Response]:
        framework, read = self._framework, [_read(request) for request in requests]
        inputs = [framework.input_fn(body, content_type) for body, content_type, _ in read]
        joined = framework.join(inputs)
        if joined is None:
            return [self.invoke(request) for request in requests]
        parts = framework.part(framework.predict_fn(joined, self._model), [len(each) for each in inputs])
        accepted = [accept for _, _, accept in read]
        return [
            to_response(framework.output_fn(part, accept), accept) for part, accept in zip(parts, accepted, strict=True)
        ]

    def execution_parameters(self) -> Response:
        if self._execution_parameters is None:
            return Response("The script has no execution_parameters_fn.", status=404)
        return to_response(self._execution_parameters(), encoders.JSON)

    def _find_transform(self) -> Transform:
        parts = {"input_fn": 2, "predict_fn": 2, "output_fn": 2}
        if not hasattr(self._script, "transform_fn"):
            return compose(*(self._function(name, arguments) for name, arguments in parts.items()))
        if any(hasattr(self._script, name) for name in parts):
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        return self._function("transform_fn", arguments=4)

    def _function(self, name: str, arguments: int) -> Callable[..., Any]:
        """The script's function, given the context too where it has a place for it, or the framework's."""
        own: Callable[..., Any] | None = getattr(self._script, name, None)
        if own is None:
            default: Callable[..., Any] = getattr(self._framework, name)
            return default
        if takes_context(own, arguments):
            return lambda *given: own(*given, self._context)
        return own


def _read(request: Request) -> tuple[str | bytes, str, str]:
    """Body, content type and what is accepted."""
    content_type = request.headers.get("content-type") or encoders.JSON
    accept = request.headers.get("accept") or "*/*"
    if accept == "*/*":
        accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT") or encoders.JSON
    is_text = encoders.media_type(content_type) in encoders.TEXT_TYPES
    return request.body.decode() if is_text else request.body, content_type, accept


def compose(input_fn: Callable[..., Any], predict_fn: Callable[..., Any], output_fn: Callable[..., Any]) -> Transform:
    """The three functions as one; formats that the defaults do not know are answered with 415 and 406."""

    def transform(model: Any, body: str | bytes, content_type: str, accept: str) -> Any:
        try:
            data = input_fn(body, content_type)
        except encoders.UnsupportedFormat as error:
            return Response(str(error), status=415)
        prediction = predict_fn(data, model)
        try:
            # A prediction that output_fn leaves as it is gets encoded here.
            return to_response(output_fn(prediction, accept), accept)
        except encoders.UnsupportedFormat as error:
            return Response(str(error), status=406)

    return transform


def import_script(directory: str, *, optional: bool) -> ModuleType:
    """The user's program as a new module, with everything that lies beside it importable. Where it is `optional`, and
    none is named nor there, the module is empty."""
    named = os.environ.get("SAGEMAKER_PROGRAM")
    program = named or DEFAULT_PROGRAM
    path = os.path.join(_code_directory(program, directory), program)
    if not os.path.exists(path):
        if optional and not named:
            return ModuleType("inference")
        raise FileNotFoundError(f"The script {program} is neither in {opt_ml('code')} nor in the model's code/.")
    _forget_other_models()
    sys.path.insert(0, os.path.dirname(path))
    name = os.path.basename(path).removesuffix(".py")
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _forget_other_models() -> None:
    """Modules that came out of other models' archives: this one's may have their names."""
    others = os.path.join(opt_ml("models"), "")
    sys.path[:] = [path for path in sys.path if not path.startswith(others)]
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(others):
            del sys.modules[name]


def _code_directory(program: str, directory: str) -> str:
    """Where the program lies: unpacked beside the model, inside the model's archive, or in the image."""
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", "")
    candidates = [opt_ml("code"), os.path.join(directory, "code"), submitted]
    return next((path for path in candidates if os.path.exists(os.path.join(path, program))), candidates[0])


def to_response(result: Any, accept: str) -> Response:
    """What a script's function returned: a body, `(body, content type)`, or a web framework's response."""
    if isinstance(result, Response):
        return result
    if hasattr(result, "get_data") and hasattr(result, "status_code"):
        passed = {name: value for name, value in result.headers.items() if name.lower().startswith("x-amzn-")}
        return Response(result.get_data(), result.mimetype or accept, result.status_code, passed)
    body, content_type = result if isinstance(result, tuple) else (result, accept)
    if isinstance(body, dict | list):
        body = json.dumps(body)
    if not isinstance(body, str | bytes):
        body = encoders.encode(body, content_type)
    return Response(body, content_type)
