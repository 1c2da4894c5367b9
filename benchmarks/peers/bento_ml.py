"""BentoML with one worker over an XGBoost model: POST /predict with CSV rows in JSON, answered with CSV.

python bento_ml.py MODEL
"""

import os
import socket
import sys
from pathlib import Path

import bentoml
import numpy
import xgboost

VARIABLE = "ABALONE_MODEL"


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Abalone:
    def __init__(self) -> None:
        self._booster = xgboost.Booster(model_file=os.environ[VARIABLE])

    @bentoml.api
    def predict(self, rows: str) -> str:
        table = numpy.loadtxt(rows.splitlines(), delimiter=",", ndmin=2)
        return "\n".join(map(str, self._booster.inplace_predict(table)))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def main(model: str) -> None:
    port = str(free_port())
    print(f"port {port}", flush=True)
    os.environ |= {VARIABLE: model, "BENTOML_DO_NOT_TRACK": "true"}
    here = Path(__file__).resolve()
    serve = ["serve", f"{here.stem}:Abalone", "--working-dir", str(here.parent), "--host", "127.0.0.1", "--port", port]
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", *serve])


if __name__ == "__main__":
    main(sys.argv[1])
