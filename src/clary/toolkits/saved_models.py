"""TensorFlow's SavedModels, asked as the REST API of TensorFlow Serving asks them.

    model/<name>/<version>/saved_model.pb, or model/<version>/saved_model.pb
    {"instances": [row, …]}  ─▶ {"predictions": [row, …]}
    {"inputs": columns}      ─▶ {"outputs": columns}
    {"examples": [{…}, …]}   ─▶ {"result": […]}      (classify, regress)

The forms are those of "RESTful API" in TensorFlow Serving's documentation.
"""

import base64
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

DEFAULT_SIGNATURE = "serving_default"
SAVED = "saved_model.pb"


class BadRequest(Exception):
    """The caller's to mend."""


class NoSuchModel(Exception):
    pass


class Named(NamedTuple):
    """A model of the request; where it names none, the default one in its newest version."""

    model: str = ""
    version: str = ""


class SavedModels:
    """All below a directory, each loaded when it is first asked for."""

    def __init__(self, directory: str, default: str = "") -> None:
        self._paths = find_models(directory)
        if not self._paths:
            raise FileNotFoundError(
                f"There is no SavedModel in {directory}: save one as <name>/<version>/{SAVED}, the version a number."
            )
        self.default = default if default in self._paths else sorted(self._paths)[0]
        self._loaded: dict[str, Any] = {}

    def load(self, named: Named) -> Any:
        versions = self._paths.get(named.model or self.default, {})
        version = named.version or max(versions, key=int, default="")
        if version not in versions:
            raise NoSuchModel(f"Servable not found for request: {named.model or self.default}, version {version}.")
        path = versions[version]
        if path not in self._loaded:
            import tensorflow

            self._loaded[path] = tensorflow.saved_model.load(path)
        return self._loaded[path]

    def answer(self, named: Named, method: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Raises `BadRequest` and `NoSuchModel`."""
        signatures = self.load(named).signatures
        name = request.get("signature_name") or DEFAULT_SIGNATURE
        if name not in signatures:
            raise BadRequest(f"The model has no signature {name}, but {', '.join(sorted(signatures))}.")
        if method == "predict":
            return predict(signatures[name], request)
        if method in ("classify", "regress"):
            return _of_examples(signatures[name], request, method)
        raise BadRequest(f"There is no method {method}: it is predict, classify or regress.")


def find_models(directory: str) -> dict[str, dict[str, str]]:
    """Name → version → path."""
    found: dict[str, dict[str, str]] = {}
    for parent, _, names in os.walk(directory):
        if SAVED in names:
            above, version = os.path.split(parent)
            named = version.isdigit()
            model = os.path.basename(above if named else parent)
            found.setdefault(model, {})[version if named else "1"] = parent
    return found


def predict(signature: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    rows, columns = request.get("instances"), request.get("inputs")
    if (rows is None) == (columns is None):
        raise BadRequest("A request to predict has either instances or inputs.")
    if rows is None:
        outputs = _call(signature, _by_name(signature, columns))
        plain = {name: _plain(name, value) for name, value in outputs.items()}
        return {"outputs": next(iter(plain.values())) if len(plain) == 1 else plain}
    if not isinstance(rows, list) or not rows:
        raise BadRequest("instances is to be a list that is not empty.")
    outputs = _call(signature, _columns_of(signature, rows))
    for name, value in outputs.items():
        if not value.shape or value.shape[0] != len(rows):
            raise BadRequest(f"The output {name} has no row for each instance: ask by inputs.")
    plain = {name: _plain(name, value) for name, value in outputs.items()}
    if len(plain) == 1:
        return {"predictions": next(iter(plain.values()))}
    return {"predictions": [dict(zip(plain, row, strict=True)) for row in zip(*plain.values(), strict=True)]}


def _inputs_of(signature: Any) -> dict[str, Any]:
    """Name → its type and shape."""
    found: dict[str, Any] = signature.structured_input_signature[1]
    return found


def _columns_of(signature: Any, rows: list[Any]) -> dict[str, Any]:
    """A row is a value for the only input, or an object of one for each."""
    inputs = _inputs_of(signature)
    if all(isinstance(row, dict) and set(row) == set(inputs) for row in rows):
        return {name: [row[name] for row in rows] for name in inputs}
    if len(inputs) == 1:
        return {next(iter(inputs)): rows}
    raise BadRequest(f"Each instance is to have the inputs {', '.join(sorted(inputs))}.")


def _by_name(signature: Any, columns: Any) -> dict[str, Any]:
    inputs = _inputs_of(signature)
    if isinstance(columns, dict) and set(columns) == set(inputs):
        return columns
    if len(inputs) == 1:
        return {next(iter(inputs)): columns}
    raise BadRequest(f"inputs is to have {', '.join(sorted(inputs))}.")


def _call(signature: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs as arrays."""
    import tensorflow

    tensors = {}
    for name, spec in _inputs_of(signature).items():
        try:
            if spec.dtype == tensorflow.string:
                array = np.array(_bytes(values[name]), dtype=object)
            else:
                array = np.array(values[name], dtype=spec.dtype.as_numpy_dtype)
            tensors[name] = tensorflow.constant(array, dtype=spec.dtype)
        except (ValueError, TypeError) as error:
            raise BadRequest(f"The input {name} is not of {spec.dtype.name}: {error}") from None
        if not spec.shape.is_compatible_with(tensors[name].shape):
            raise BadRequest(f"The input {name} has the shape {tensors[name].shape}, and is to have {spec.shape}.")
    return {name: value.numpy() for name, value in signature(**tensors).items()}


def _bytes(value: Any) -> Any:
    """Texts, and objects of Base64, in lists of lists."""
    if isinstance(value, list):
        return [_bytes(each) for each in value]
    if isinstance(value, dict) and set(value) == {"b64"}:
        return base64.b64decode(value["b64"])
    return str(value).encode()


def _plain(name: str, array: Any) -> Any:
    """What JSON has of it. Outputs whose name ends so are bytes, all others of texts are UTF-8."""
    listed = array.tolist()
    return listed if array.dtype.kind not in "OS" else _texts(listed, binary=name.endswith("_bytes"))


def _texts(value: Any, *, binary: bool) -> Any:
    if isinstance(value, list):
        return [_texts(each, binary=binary) for each in value]
    return {"b64": base64.b64encode(value).decode()} if binary else value.decode(errors="replace")


def _of_examples(signature: Any, request: Mapping[str, Any], method: str) -> dict[str, Any]:
    examples, shared = request.get("examples"), request.get("context", {})
    if not isinstance(examples, list) or not examples:
        raise BadRequest(f"A request to {method} has a list of examples that is not empty.")
    name, *others = _inputs_of(signature)
    if others:
        raise BadRequest(f"The signature takes no serialised examples, which {method} needs.")
    packed = [{"b64": base64.b64encode(_example({**shared, **each})).decode()} for each in examples]
    outputs = _call(signature, {name: packed})
    try:
        if method == "regress":
            return {"result": outputs["outputs"].reshape(-1).tolist()}
        labels, scores = _plain("", outputs["classes"]), outputs["scores"].tolist()
    except KeyError as missing:
        raise BadRequest(f"The signature is none of {method}: it has no output {missing}.") from None
    pairs = zip(labels, scores, strict=True)
    return {"result": [[list(pair) for pair in zip(*row, strict=True)] for row in pairs]}


def _example(features: Mapping[str, Any]) -> bytes:
    from tensorflow.train import BytesList, Example, Feature, Features, FloatList, Int64List

    def feature(value: Any) -> Any:
        values = value if isinstance(value, list) else [value]
        if all(isinstance(each, int) for each in values):
            return Feature(int64_list=Int64List(value=values))
        if all(isinstance(each, int | float) for each in values):
            return Feature(float_list=FloatList(value=values))
        return Feature(bytes_list=BytesList(value=_bytes(values)))

    packed = Example(features=Features(feature={name: feature(value) for name, value in features.items()}))
    serialised: bytes = packed.SerializeToString()
    return serialised
