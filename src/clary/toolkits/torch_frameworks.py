"""PyTorch's and Hugging Face's images: what they do where the user's script leaves a function out, or there is none.

As `sagemaker-pytorch-inference-toolkit` and `sagemaker-huggingface-inference-toolkit` document it. Their libraries are
in those images only, so they are imported where they are used.
"""

import json
import os
from typing import Any

from clary.toolkits import encoders
from clary.toolkits.defaults import Defaults
from clary.toolkits.http import Response

TORCHSCRIPT = ("model.pth", "model.pt")
TASKS = (
    ("TapasForQuestionAnswering", "table-question-answering"),
    ("ForQuestionAnswering", "question-answering"),
    ("ForTokenClassification", "token-classification"),
    ("ForSequenceClassification", "text-classification"),
    ("ForMaskedLM", "fill-mask"),
    ("ForCausalLM", "text-generation"),
    ("LMHeadModel", "text-generation"),
    ("ForConditionalGeneration", "text2text-generation"),
    ("ForImageClassification", "image-classification"),
    ("ForCTC", "automatic-speech-recognition"),
)
"""End of a model's architecture → the task that it was trained for."""


class PytorchFramework(Defaults):
    needs_script = False

    def model_fn(self, model_dir: str) -> Any:
        """A TorchScript module."""
        import torch

        found = [name for name in TORCHSCRIPT if os.path.exists(os.path.join(model_dir, name))]
        if not found:
            raise FileNotFoundError(
                f"The default model_fn loads TorchScript, and the model has no {' nor '.join(TORCHSCRIPT)}: save one "
                "with torch.jit.save, or write a model_fn."
            )
        try:
            return torch.jit.load(os.path.join(model_dir, found[0]), map_location=_device())
        except RuntimeError as error:
            raise RuntimeError(
                f"The default model_fn loads TorchScript, which {found[0]} is not: write a model_fn. ({error})"
            ) from error

    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        import torch

        array = encoders.decode(body, content_type)
        if encoders.media_type(content_type) in encoders.TEXT_TYPES:
            array = array.astype("float32")
        return torch.from_numpy(array).to(_device())

    def predict_fn(self, data: Any, model: Any) -> Any:
        import torch

        with torch.no_grad():
            model.to(_device()).eval()
            return model(data)

    def join(self, several: list[Any]) -> Any:
        import torch

        alike = all(tensor.dim() and tensor.shape[1:] == several[0].shape[1:] for tensor in several)
        return torch.cat(several) if alike else None

    def part(self, prediction: Any, sizes: list[int]) -> list[Any]:
        return list(prediction.split(sizes))

    def output_fn(self, prediction: Any, accept: str) -> Response:
        array = prediction.detach().cpu().numpy() if hasattr(prediction, "detach") else prediction
        return super().output_fn(array, accept)


class HuggingFaceFramework(Defaults):
    """A pipeline of Transformers; requests are `{"inputs": …, "parameters": {…}}`."""

    needs_script = False

    def model_fn(self, model_dir: str) -> Any:
        import torch
        from transformers import pipeline

        local = os.path.exists(os.path.join(model_dir, "config.json"))
        model = model_dir if local else os.environ.get("HF_MODEL_ID", "")
        if not model:
            raise FileNotFoundError(
                f"There is no config.json in {model_dir}: give the model's data, or name one of the hub in HF_MODEL_ID."
            )
        task = os.environ.get("HF_TASK") or (_task_of(model_dir) if local else None)
        return pipeline(task, model=model, device=0 if torch.cuda.is_available() else -1)

    def input_fn(self, body: str | bytes, content_type: str) -> Any:
        match encoders.media_type(content_type):
            case encoders.JSON:
                return json.loads(body)
            case "text/plain":
                return {"inputs": body if isinstance(body, str) else body.decode()}
            case encoders.CSV:
                return _from_csv(body if isinstance(body, str) else body.decode())
        raise encoders.UnsupportedFormat(content_type)

    def predict_fn(self, data: Any, model: Any) -> Any:
        if not isinstance(data, dict):
            return model(data)
        parameters = data.get("parameters") or {}
        inputs = data["inputs"] if "inputs" in data else {k: v for k, v in data.items() if k != "parameters"}
        return model(**inputs, **parameters) if isinstance(inputs, dict) else model(inputs, **parameters)


def _from_csv(text: str) -> dict[str, Any]:
    """`inputs` as a column's name gives a list of texts; `question,context` gives questions."""
    import csv
    import io

    rows = list(csv.DictReader(io.StringIO(text)))
    if not rows:
        raise ValueError("The CSV has no rows below its header.")
    if "inputs" in rows[0]:
        return {"inputs": [row["inputs"] for row in rows]}
    return {"inputs": {name: [row[name] for row in rows] for name in rows[0]}}


def _task_of(model_dir: str) -> str:
    with open(os.path.join(model_dir, "config.json"), encoding="utf-8") as file:
        architectures = json.load(file).get("architectures") or []
    for architecture in architectures:
        for ending, task in TASKS:
            if architecture.endswith(ending):
                return task
    raise ValueError(
        f"The task of the model cannot be told from its architecture ({', '.join(architectures) or 'none is named'}): "
        "set HF_TASK."
    )


def _device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
