"""MLServer with one worker over an XGBoost model: the V2 inference protocol, with CSV rows as one string.

python ml_server.py MODEL
"""

import asyncio
import socket
import sys

import numpy
import xgboost
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.settings import ModelParameters
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput


class Abalone(MLModel):
    async def load(self) -> bool:
        self._booster = xgboost.Booster(model_file=self.settings.parameters.uri)
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        rows = payload.inputs[0].data[0]
        text = rows.decode() if isinstance(rows, bytes) else rows
        rings = self._booster.inplace_predict(numpy.loadtxt(text.splitlines(), delimiter=",", ndmin=2)).tolist()
        output = ResponseOutput(name="rings", shape=[len(rings)], datatype="FP32", data=rings)
        return InferenceResponse(model_name=self.name, outputs=[output])


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


async def main(model: str) -> None:
    port = free_port()
    settings = Settings(
        host="127.0.0.1",
        http_port=port,
        grpc_port=free_port(),
        metrics_endpoint=None,
        parallel_workers=1,
        debug=False,
        logging_settings={"version": 1, "disable_existing_loggers": True},
    )
    print(f"port {port}", flush=True)
    parameters = ModelParameters(uri=model)
    await MLServer(settings).start([ModelSettings(name="abalone", implementation=Abalone, parameters=parameters)])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
