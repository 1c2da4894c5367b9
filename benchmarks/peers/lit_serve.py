"""LitServe with one worker over an XGBoost model: POST /predict with CSV rows, answered with CSV.

LitServe reads every body but a form's as JSON, so the rows come as one JSON string.

python lit_serve.py MODEL
"""

import socket
import sys

import litserve
import numpy
import xgboost
from fastapi import Request, Response


class Abalone(litserve.LitAPI):
    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def setup(self, _device: str) -> None:
        self._booster = xgboost.Booster(model_file=self._path)

    def decode_request(self, request: Request) -> numpy.ndarray:
        # The annotation asks LitServe for the body; what it hands over is the body's JSON value, here a string.
        return numpy.loadtxt(request.splitlines(), delimiter=",", ndmin=2)

    def predict(self, rows: numpy.ndarray) -> numpy.ndarray:
        return self._booster.inplace_predict(rows)

    def encode_response(self, rings: numpy.ndarray) -> Response:
        return Response("\n".join(map(str, rings)), media_type="text/csv")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def main(model: str) -> None:
    port = free_port()
    server = litserve.LitServer(Abalone(model), accelerator="cpu", workers_per_device=1)
    print(f"port {port}", flush=True)
    server.run(host="127.0.0.1", port=port, log_level="error", generate_client_file=False)


if __name__ == "__main__":
    main(sys.argv[1])
