"""The model server as a process, spoken to over its socket."""

import http.client
import io
import json
import os
import select
import socket
import subprocess
import threading
import time

import numpy as np
import pytest

from tests.toolkits.container import Container

SKLEARN = ("clary.toolkits.serve", "--framework", "sklearn")
SCRIPT = """
import os, pickle
def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.pkl"), "rb") as file:
        return pickle.load(file)
"""


FIT = """
import pickle, sys
from sklearn.linear_model import LinearRegression
model = LinearRegression(fit_intercept=False).fit([[1.0, 0.0], [0.0, 1.0]], [1.0, 2.0])
pickle.dump(model, open(sys.argv[1], "wb"))
"""


def save_model(container: Container) -> None:
    """A model that predicts `1 * a + 2 * b`, made by the image's own scikit-learn."""
    subprocess.run([container.python, "-c", FIT, str(container.root / "model/model.pkl")], check=True)


def npy(array: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array))
    return buffer.getvalue()


def test_default_functions_in_every_format(container: Container) -> None:
    save_model(container)
    container.code("inference.py", SCRIPT)
    with container.serve(*SKLEARN, SAGEMAKER_PROGRAM="inference.py") as server:
        status, content_type, body = server.invoke("1,1\n2,0.5\n", "text/csv", "text/csv")
        assert (status, content_type) == (200, "text/csv")
        assert [float(line) for line in body.decode().split()] == pytest.approx([3.0, 3.0])
        status, content_type, body = server.invoke("[[1, 1], [0, 4]]", "application/json")
        assert (status, content_type) == (200, "application/json")
        assert json.loads(body) == pytest.approx([3.0, 8.0])
        status, content_type, body = server.invoke(npy([[1.0, 1.0]]), "application/x-npy", "application/x-npy")
        assert (status, content_type) == (200, "application/x-npy")
        assert np.load(io.BytesIO(body)).tolist() == pytest.approx([3.0])
        status, _, body = server.invoke("<a/>", "text/xml")
        assert status == 415
        assert b"Content type text/xml is not supported" in body
        assert server.invoke("1,1\n1,1", "text/csv", "image/png")[0] == 406
        status, _, body = server.invoke("1,2,3\n4,5,6", "text/csv")
        assert status == 500
        assert b"features" in body
        assert server.request("GET", "/execution-parameters")[0] == 404
        assert server.request("GET", "/elsewhere")[0] == 404
    assert "ValueError" in server.output


def test_default_accept_from_the_environment(container: Container) -> None:
    save_model(container)
    container.code("inference.py", SCRIPT)
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"}
    with container.serve(*SKLEARN, **variables) as server:
        assert server.invoke("1,1\n1,0\n")[1] == "text/csv"


def test_functions_of_the_script_come_first(container: Container) -> None:
    container.code("helper.py", "def double(x):\n    return 2 * x\n")
    container.code(
        "serve_me.py",
        "from helper import double\n"
        "def model_fn(model_dir):\n    return 10\n"
        "def input_fn(body, content_type):\n    return int(body), content_type\n"
        "def predict_fn(data, model):\n    return double(data[0]) + model, data[1]\n"
        "def output_fn(prediction, accept):\n"
        "    return f'{prediction[0]} {prediction[1]}', 'text/' + accept\n",
    )
    with container.serve(*SKLEARN, SAGEMAKER_PROGRAM="serve_me.py") as server:
        assert server.invoke("16", "my/type", "x") == (200, "text/x", b"42 my/type")


def test_transform_fn_and_code_in_the_models_archive(container: Container) -> None:
    (container.root / "model/code").mkdir()
    (container.root / "model/code/inference.py").write_text(
        "def model_fn(model_dir):\n    return 'm'\n"
        "def transform_fn(model, body, content_type, accept):\n    return {'got': body, 'model': model}\n"
    )
    with container.serve(*SKLEARN) as server:
        status, content_type, body = server.invoke("hello", "text/csv")
        assert (status, content_type) == (200, "application/json")
        assert json.loads(body) == {"got": "hello", "model": "m"}


def test_context_carries_headers_in_and_out(container: Container) -> None:
    name = "X-Amzn-SageMaker-Custom-Attributes"
    container.code(
        "inference.py",
        "def model_fn(model_dir, context):\n    return context.system_properties['model_dir']\n"
        "def input_fn(body, content_type, context):\n"
        f"    return context.get_request_header(0, {name!r})\n"
        "def predict_fn(data, model):\n    return data + ' ' + model\n"
        "def output_fn(prediction, accept, context):\n"
        f"    context.set_response_header(0, {name!r}, 'seen')\n"
        "    context.set_response_status(202)\n"
        "    return prediction, 'text/plain'\n",
    )
    with container.serve(*SKLEARN) as server:
        connection = server.connect()
        connection.request("POST", "/invocations", b"x", {name: "trace=1"})
        response = connection.getresponse()
        assert response.status == 202
        assert response.headers[name] == "seen"
        assert response.read().decode() == f"trace=1 {container.root}/model"
        connection.close()


def test_a_web_frameworks_response_is_understood(container: Container) -> None:
    container.code(
        "inference.py",
        "class Reply:\n"
        "    status_code, mimetype = 201, 'text/x'\n"
        "    headers = {'X-Amzn-SageMaker-Custom-Attributes': 'a', 'Server': 'b'}\n"
        "    def get_data(self):\n        return b'body'\n"
        "def model_fn(model_dir):\n    return None\n"
        "def transform_fn(*_):\n    return Reply()\n",
    )
    with container.serve(*SKLEARN) as server:
        assert server.invoke("x") == (201, "text/x", b"body")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def predict_fn(data, model): return data\n", "Please provide a model_fn implementation"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        (
            "def model_fn(d): ...\ndef transform_fn(*a): ...\ndef input_fn(*a): ...\n",
            "Cannot use transform_fn",
        ),
    ],
)
def test_a_model_that_does_not_load_ends_the_server(container: Container, script: str, reason: str) -> None:
    container.code("inference.py", script)
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "CLARY_BIND": f"unix:{container.root}/s"}
    status, output = container.run(*SKLEARN, **variables)
    assert status != 0
    assert reason in output


def test_ping_answers_while_a_prediction_runs(container: Container) -> None:
    fifo = container.root / "gate"
    container.code(
        "inference.py",
        "import os\n"
        "def model_fn(model_dir):\n    return None\n"
        "def transform_fn(model, body, content_type, accept):\n"
        f"    open({str(fifo)!r}).read()\n    return 'done', 'text/plain'\n",
    )
    os.mkfifo(fifo)
    with container.serve(*SKLEARN, SAGEMAKER_PROGRAM="inference.py") as server:
        answers: list[tuple[int, str, bytes]] = []
        caller = threading.Thread(target=lambda: answers.append(server.invoke("x")))
        caller.start()
        with fifo.open("w"):  # Opens once the prediction has begun to read.
            assert server.ping() == 200
            assert answers == []
        caller.join(timeout=30)
        assert answers == [(200, "text/plain", b"done")]


def test_stop_lets_the_request_under_way_finish(container: Container) -> None:
    fifo = container.root / "gate"
    os.mkfifo(fifo)
    container.code(
        "inference.py",
        "def model_fn(model_dir):\n    return None\n"
        "def transform_fn(model, body, *a):\n"
        f"    open({str(fifo)!r}).read()\n    return 'done', 'text/plain'\n",
    )
    with container.serve(*SKLEARN, SAGEMAKER_PROGRAM="inference.py") as server:
        answers: list[tuple[int, str, bytes]] = []
        caller = threading.Thread(target=lambda: answers.append(server.invoke("x")))
        caller.start()
        with fifo.open("w"):
            server.process.terminate()
        caller.join(timeout=30)
        assert answers == [(200, "text/plain", b"done")]
        assert server.process.wait(timeout=30) == 0


ECHO = (
    "import os\n"
    "def model_fn(model_dir):\n    return None\n"
    "def transform_fn(model, body, content_type, accept):\n"
    "    if body == b'die': os._exit(7)\n"
    "    if body == b'exit': raise SystemExit(9)\n"
    "    return str(len(body)) + ' ' + str(os.getpid()), 'text/plain'\n"
)


def test_keep_alive_pipelining_and_chunked_bodies(container: Container) -> None:
    container.code("inference.py", ECHO)
    with container.serve(*SKLEARN) as server, socket.socket(socket.AF_UNIX) as raw:
        raw.settimeout(30)
        raw.connect(server.path)
        chunked = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\n"
        chunked += b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
        last = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: a/b\r\ncontent-length: 2\r\n"
        last += b"connection: close\r\n\r\nhi"
        raw.sendall(chunked + b"GET /ping HTTP/1.1\r\nhost: x\r\n\r\n" + last)
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
        heads = [part.partition(b"\r\n")[0] for part in answer.split(b"HTTP/1.1 ")[1:]]
        assert heads == [b"200 OK"] * 3
        assert b"\r\n\r\n7 " in answer
        assert b"\r\n\r\n2 " in answer


def test_expect_continue_limits_and_nonsense(container: Container) -> None:
    container.code("inference.py", ECHO)
    with container.serve(*SKLEARN, SAGEMAKER_MAX_PAYLOAD_IN_MB="1") as server:
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(30)
            raw.connect(server.path)
            raw.sendall(
                b"POST /invocations HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n"
                b"content-type: a/b\r\ncontent-length: 5\r\n\r\n"
            )
            assert raw.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            raw.sendall(b"12345")
            assert b"\r\n\r\n5 " in raw.recv(65536)
        assert server.invoke(b"x" * (1024 * 1024 + 1), "a/b")[0] == 413
        with socket.socket(socket.AF_UNIX) as raw:
            raw.settimeout(30)
            raw.connect(server.path)
            raw.sendall(b"nonsense\r\n\r\n")
            assert raw.recv(65536).startswith(b"HTTP/1.1 400 ")
        assert server.invoke(b"exit", "a/b")[0] == 500
        assert server.invoke(b"hello", "a/b")[0] == 200
        assert server.ping() == 200


def test_workers_share_the_socket_and_are_replaced(container: Container) -> None:
    container.code("inference.py", ECHO)
    with container.serve(*SKLEARN, SAGEMAKER_MODEL_SERVER_WORKERS="2") as server:
        with pytest.raises((ConnectionError, OSError)):
            server.invoke(b"die", "a/b")
        for _ in range(20):
            assert server.ping() in (200, 503)
        server.wait_until_ready()
        assert server.stop() == 0
    assert "ended with 7; starting another" in server.output


def test_default_port_of_the_container_contract(container: Container) -> None:
    container.code("inference.py", ECHO)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = container.start(*SKLEARN, SAGEMAKER_BIND_TO_PORT=str(port))
    try:
        deadline = time.monotonic() + 30
        status = 0
        while status != 200 and time.monotonic() < deadline:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            try:
                connection.request("GET", "/ping")
                status = connection.getresponse().status
            except ConnectionRefusedError:
                select.select([process.stdout], [], [], 0.02)
            finally:
                connection.close()
        assert status == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)


SCALED = """
import json, os
from factor import FACTOR
def model_fn(model_dir):
    with open(os.path.join(model_dir, "offset")) as file:
        if (offset := file.read()) == "too much":
            raise MemoryError("no room for it")
        return float(offset)
def predict_fn(data, model):
    return data * FACTOR + model
"""


def test_many_models_are_loaded_and_unloaded_each_with_its_own_code(container: Container) -> None:
    for name, factor, offset in (("one", 2, "1"), ("two", 3, "0"), ("huge", 1, "too much"), ("bad", 1, "x")):
        code = container.root / f"models/{name}/model/code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(SCALED)
        (code / "factor.py").write_text(f"FACTOR = {factor}")
        (code.parent / "offset").write_text(offset)
    with container.serve(*SKLEARN, SAGEMAKER_MULTI_MODEL="true", SAGEMAKER_MODEL_SERVER_WORKERS="4") as server:

        def load(name: str) -> int:
            told = {"model_name": name, "url": str(container.root / f"models/{name}/model")}
            return server.request("POST", "/models", json.dumps(told))[0]

        assert [load("one"), load("two"), load("two"), load("huge"), load("bad")] == [200, 200, 409, 507, 500]
        answers = [server.request("POST", f"/models/{name}/invoke", "[1, 2]") for name in ("one", "two")]
        assert [json.loads(body) for _, _, body in answers] == [[3.0, 5.0], [3.0, 6.0]]
        listed = json.loads(server.request("GET", "/models")[2])["models"]
        assert [(model["modelName"], model["modelUrl"][-9:]) for model in listed] == [
            ("one", "one/model"),
            ("two", "two/model"),
        ]
        assert server.request("GET", "/models/one")[0] == server.request("DELETE", "/models/one")[0] == 200
        gone = (
            "GET /models/one",
            "DELETE /models/one",
            "POST /models/one/invoke",
            "GET /models/bad",
            "POST /invocations",
        )
        assert [server.request(*each.split())[0] for each in gone] == [404] * 5
        assert [load("one"), server.request("POST", "/models", "[]")[0]] == [200, 400]
