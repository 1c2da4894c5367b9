"""The model server of TensorFlow's image, in its real environment, which is large."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.toolkits.tensorflow_serving import to_rest
from tests.environments import python_of
from tests.toolkits.container import Container, ModelServer

IMAGE = "tensorflow-inference:2.19-cpu"
SERVE = ("clary.toolkits.serve", "--framework", "tensorflow")
SAVES = """
import sys
import tensorflow as tf

class Model(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def total(self, x):
        return {"y": tf.reduce_sum(x, axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "word"), tf.TensorSpec([None], tf.int64, "times")])
    def greet(self, word, times):
        return {"length": tf.cast(tf.strings.length(word), tf.int64) * times, "word": tf.strings.upper(word)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classes(self, inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]
        labels = tf.tile([["low", "high"]], [tf.shape(x)[0], 1])
        return {"classes": labels, "scores": tf.stack([1 - x, x], axis=1)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def doubled(self, inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([], tf.float32)})["x"]
        return {"outputs": tf.reshape(2 * x, [-1, 1])}

model = Model()
signatures = {"serving_default": model.total, "greet": model.greet, "classes": model.classes, "doubled": model.doubled}
for place in ("totals/1", "totals/2", "others/7"):
    tf.saved_model.save(model, f"{sys.argv[1]}/{place}", signatures=signatures)
"""
HANDLERS = """
def input_handler(data, context):
    assert context.request_content_type == "text/plain", context
    return '{"instances": [[%s]]}' % data.read().decode()

def output_handler(response, context):
    return f"{context.model_name}: {response.json()['predictions'][0]}", "text/plain"
"""
HANDLER = """
import requests

def handler(data, context):
    answer = requests.post(context.rest_uri, data=data.read())
    return answer.content, "application/json"
"""
ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("saved")
    subprocess.run([python_of(IMAGE), "-c", SAVES, str(directory)], check=True)
    return directory


def container_of(tmp_path: Path, model: Path, script: str = "") -> Container:
    container = Container(tmp_path / "ml", python_of(IMAGE))
    (container.root / "model").rmdir()
    (container.root / "model").symlink_to(model)
    if script:
        container.code("inference.py", script)
    return container


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ModelServer]:
    container = container_of(tmp_path_factory.mktemp("container"), model)
    with container.serve(*SERVE, SAGEMAKER_TFS_DEFAULT_MODEL_NAME="totals") as serving:
        yield serving


def ask(server: ModelServer, request: Any, content_type: str = "application/json", attributes: str = "") -> Any:
    body = request if isinstance(request, str) else json.dumps(request)
    status, _, answer = server.request(
        "POST", "/invocations", body, content_type=content_type, **{ATTRIBUTES.replace("-", "_"): attributes}
    )
    told = json.loads(answer)
    return told if status == 200 else (status, told["error"])


@pytest.mark.slow
def test_it_answers_in_the_forms_of_tensorflow_serving(server: ModelServer) -> None:
    assert ask(server, {"instances": [[1, 2], [3, 4]]}) == {"predictions": [3.0, 7.0]}
    assert ask(server, {"inputs": [[1, 2]]}) == {"outputs": [3.0]}
    assert ask(server, [[1, 2]]) == {"predictions": [3.0]}
    assert ask(server, "1,2\n3,4.5\n", "text/csv") == {"predictions": [3.0, 7.5]}
    assert ask(server, "[1, 2]\n[5, 5]\n", "application/jsonlines") == {"predictions": [3.0, 10.0]}
    rows = [{"word": "ab", "times": 2}, {"word": {"b64": "Y2Rl"}, "times": 1}]
    assert ask(server, {"signature_name": "greet", "instances": rows}) == {
        "predictions": [{"length": 4, "word": "AB"}, {"length": 3, "word": "CDE"}]
    }
    columns = {"word": ["ab"], "times": [3]}
    greeted = ask(server, {"signature_name": "greet", "inputs": columns})
    assert greeted == {"outputs": {"length": [6], "word": ["AB"]}}
    examples = {"signature_name": "classes", "examples": [{"x": 0.25}]}
    assert ask(server, examples, attributes="tfs-method=classify") == {"result": [[["low", 0.75], ["high", 0.25]]]}
    doubled = {"signature_name": "doubled", "context": {"x": 1.5}, "examples": [{}, {"x": 4.0}]}
    assert ask(server, doubled, attributes="tfs-method=regress") == {"result": [3.0, 8.0]}


@pytest.mark.slow
def test_what_it_cannot_answer_it_tells(server: ModelServer) -> None:
    assert ask(server, [[1, 2]], attributes="tfs-model-name=others,tfs-model-version=7") == {"predictions": [3.0]}
    assert ask(server, [[1, 2]], attributes="tfs-model-name=absent")[0] == 404
    assert ask(server, {"instances": [[1, 2, 3]]})[1] == ("The input x has the shape (1, 3), and is to have (None, 2).")
    assert ask(server, {"instances": [["a", "b"]]})[0] == 400
    assert "has no signature more" in ask(server, {"signature_name": "more", "instances": [[1, 2]]})[1]
    assert server.invoke("x", content_type="image/png")[0] == 415


@pytest.mark.slow
def test_scripts_handle_what_goes_in_and_out(tmp_path: Path, model: Path) -> None:
    for number, (script, body, expected) in enumerate(
        [(HANDLERS, "1, 2", b"others: 3.0"), (HANDLER, '{"instances": [[1, 2]]}', b'{"predictions": [3.0]}')]
    ):
        with container_of(tmp_path / str(number), model, script).serve(*SERVE) as server:
            assert server.invoke(body, content_type="text/plain")[2] == expected


@pytest.mark.parametrize(
    ("body", "content_type", "rows"),
    [
        ("[1.0, 2.0]", "application/json", [1.0, 2.0]),
        ('{"x": 1}', "application/json", [{"x": 1}]),
        ('a,1\n"b,c",2\n', "text/csv", [["a", 1.0], ["b,c", 2.0]]),
        ('{"x": 1}\n\n{"x": 2}\n', "application/jsonlines", [{"x": 1}, {"x": 2}]),
    ],
)
def test_bodies_that_are_no_requests_become_their_instances(body: str, content_type: str, rows: list[Any]) -> None:
    assert to_rest(body, content_type) == {"instances": rows}
