"""The model server of TensorFlow's inference image.

    body ─▶ JSON of TensorFlow Serving ─▶ SavedModel ─▶ JSON                       no inference.py
    body ─▶ input_handler ─▶ …         ─▶ SavedModel ─▶ output_handler ─▶ answer
    body ─▶ handler, which asks `context.rest_uri` itself ─▶ answer

Content types, handlers and the custom attributes `tfs-model-name`, `tfs-model-version` and `tfs-method` are those that
`sagemaker-tensorflow-serving-container` documents.
"""

import csv
import io
import json
import os
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from clary.toolkits import encoders
from clary.toolkits.http import Request, Response
from clary.toolkits.saved_models import BadRequest, Named, NoSuchModel, SavedModels
from clary.toolkits.script import import_script, to_response

ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
JSON_LINES = ("application/jsonlines", "application/jsons")
FORMS = ("instances", "inputs", "examples")


class Context(NamedTuple):
    """What handlers are told of a request."""

    model_name: str
    model_version: str
    method: str
    rest_uri: str
    grpc_port: str
    channel: None
    custom_attributes: str
    request_content_type: str
    accept_header: str
    content_length: int


class Answer:
    """What output_handler is given: an answer of TensorFlow Serving, as the library `requests` has it."""

    def __init__(self, response: Response) -> None:
        self.status_code = response.status
        self.content = response.body
        self.headers = {"content-type": response.content_type}

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class TensorFlowService:
    def load(self, directory: str) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        self._models = SavedModels(directory, os.environ.get("SAGEMAKER_TFS_DEFAULT_MODEL_NAME", ""))
        self._models.load(Named())
        script = import_script(directory, optional=True)
        self._handler = getattr(script, "handler", None)
        self._input, self._output = (getattr(script, name, None) for name in ("input_handler", "output_handler"))
        if hasattr(script, "__file__") and not (self._handler or (self._input and self._output)):
            raise NotImplementedError(
                "The inference script needs a handler, or both an input_handler and an output_handler."
            )
        self._address = _serve_rest(self._ask) if self._handler else ""

    def invoke(self, request: Request) -> Response:
        context = self._context(request)
        if self._handler:
            return to_response(self._handler(io.BytesIO(request.body), context), context.accept_header)
        named = Named(context.model_name, context.model_version)
        if self._input and self._output:
            body = self._input(io.BytesIO(request.body), context)
            answer = Answer(self._ask(named, context.method, body))
            return to_response(self._output(answer, context), context.accept_header)
        try:
            body = json.dumps(to_rest(request.body.decode(), context.request_content_type))
        except encoders.UnsupportedFormat as error:
            return Response(str(error), status=415)
        except ValueError as error:
            return _failure(400, f"The body is no {context.request_content_type}: {error}")
        return self._ask(named, context.method, body)

    def execution_parameters(self) -> Response:
        return Response("TensorFlow Serving has no opinion.", status=404)

    def _ask(self, named: Named, method: str, body: str | bytes) -> Response:
        try:
            asked = json.loads(body)
            if not isinstance(asked, dict):
                raise BadRequest("The request is no JSON object.")
            return Response(json.dumps(self._models.answer(named, method, asked)), encoders.JSON)
        except NoSuchModel as error:
            return _failure(404, str(error))
        except (BadRequest, ValueError) as error:
            return _failure(400, str(error))

    def _context(self, request: Request) -> Context:
        attributes = request.headers.get(ATTRIBUTES, "")
        told = dict(pair.strip().split("=", 1) for pair in attributes.split(",") if "=" in pair)
        name, version = told.get("tfs-model-name", self._models.default), told.get("tfs-model-version", "")
        method = told.get("tfs-method", "predict")
        path = f"models/{name}" + (f"/versions/{version}" if version else "")
        return Context(
            model_name=name,
            model_version=version,
            method=method,
            rest_uri=f"{self._address}/v1/{path}:{method}" if self._address else "",
            grpc_port="",
            channel=None,
            custom_attributes=attributes,
            request_content_type=request.headers.get("content-type") or encoders.JSON,
            accept_header=request.headers.get("accept") or encoders.JSON,
            content_length=len(request.body),
        )


def to_rest(body: str, content_type: str) -> dict[str, Any]:
    """What TensorFlow Serving is asked for a body that need not be a request of its own."""
    kind = encoders.media_type(content_type)
    if kind == encoders.CSV:
        return {"instances": [[_cell(cell) for cell in row] for row in csv.reader(io.StringIO(body)) if row]}
    if kind in JSON_LINES:
        return {"instances": [json.loads(line) for line in body.splitlines() if line.strip()]}
    if kind != encoders.JSON:
        raise encoders.UnsupportedFormat(content_type)
    told = json.loads(body)
    if isinstance(told, dict) and any(form in told for form in FORMS):
        return told
    return {"instances": told if isinstance(told, list) else [told]}


def _cell(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _failure(status: int, message: str) -> Response:
    return Response(json.dumps({"error": message}), encoders.JSON, status)


def _serve_rest(ask: Callable[[Named, str, bytes], Response]) -> str:
    """The URL of an HTTP server for a handler's own requests, which only this machine reaches."""

    class Rest(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            # /v1/models/<name>[/versions/<version>]:<method>
            path, _, method = self.path.rpartition(":")
            _, _, _, name, *rest = path.split("/")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = ask(Named(name, rest[1] if len(rest) > 1 else ""), method, body)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Rest)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
