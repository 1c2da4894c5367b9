"""The model servers of PyTorch and Hugging Face, in their real environments, which are large."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.environments import python_of
from tests.toolkits.container import Container

PYTORCH = "pytorch-inference:2.13.0-cpu-py311"
HUGGINGFACE = "huggingface-pytorch-inference:2.13.0-transformers4.57-cpu-py311"
"""Versions that builds without CUDA are at hand of."""
SERVE_PYTORCH = ("clary.toolkits.serve", "--framework", "pytorch")
SERVE_HUGGINGFACE = ("clary.toolkits.serve", "--framework", "huggingface")

SCRIPTED = """
import sys, torch
model = torch.nn.Linear(2, 1, bias=False)
torch.nn.init.constant_(model.weight, 2.0)
torch.jit.save(torch.jit.script(model), sys.argv[1])
"""
STATE = """
import sys, torch
torch.save({"weight": torch.full((1, 2), 3.0)}, sys.argv[1])
"""
OWN = """
import os, torch
def model_fn(model_dir):
    model = torch.nn.Linear(2, 1, bias=False)
    model.load_state_dict(torch.load(os.path.join(model_dir, "weights.bin")))
    return model
"""
TINY = """
import sys
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "bad", "very"]
tokens = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
tokens.pre_tokenizer = pre_tokenizers.Whitespace()
PreTrainedTokenizerFast(tokenizer_object=tokens, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(sys.argv[1])
config = BertConfig(vocab_size=7, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
config.id2label, config.label2id = {0: "bad", 1: "good"}, {"bad": 0, "good": 1}
BertForSequenceClassification(config).save_pretrained(sys.argv[1])
"""

pytestmark = pytest.mark.slow


def container_of(tmp_path: Path, image: str, program: str, name: str) -> Container:
    """Whose model an own program of the image's python saved."""
    container = Container(tmp_path / "ml", python_of(image))
    subprocess.run([container.python, "-c", program, str(container.root / "model" / name)], check=True)
    return container


def test_requests_that_wait_together_are_one_prediction(tmp_path: Path) -> None:
    """Each gets its own rows; one of another width is answered as it is alone."""
    container = container_of(tmp_path, PYTORCH, SCRIPTED, "model.pth")
    with container.serve(*SERVE_PYTORCH, SAGEMAKER_TS_BATCH_SIZE="9") as server, ThreadPoolExecutor(9) as clients:
        bodies = [json.dumps([[number, 0.0]] * (number + 1)) for number in range(8)]
        answers = list(clients.map(lambda body: server.invoke(body, "application/json"), [*bodies, "[[1, 2, 3]]"]))
        for number, (status, _, body) in enumerate(answers[:8]):
            assert (status, json.loads(body)) == (200, [[2.0 * number]] * (number + 1))
        assert answers[8][0] == 500


def test_torchscript_is_served_without_a_script(tmp_path: Path) -> None:
    container = container_of(tmp_path, PYTORCH, SCRIPTED, "model.pth")
    with container.serve(*SERVE_PYTORCH) as server:
        assert json.loads(server.invoke("[[1, 1], [2, 0.5]]", "application/json")[2]) == [[4.0], [5.0]]
        status, content_type, body = server.invoke("1,1\n2,0.5\n", "text/csv", "text/csv")
        assert (status, content_type, body.decode().split()) == (200, "text/csv", ["4.0", "5.0"])
        assert server.invoke("<a/>", "text/xml")[0] == 415


def test_a_script_loads_what_it_saved(tmp_path: Path) -> None:
    container = container_of(tmp_path, PYTORCH, STATE, "weights.bin")
    container.code("inference.py", OWN)
    with container.serve(*SERVE_PYTORCH, SAGEMAKER_PROGRAM="inference.py") as server:
        assert json.loads(server.invoke("[[1, 1]]", "application/json")[2]) == [[6.0]]


def test_a_pipeline_is_found_by_the_models_architecture(tmp_path: Path) -> None:
    container = container_of(tmp_path, HUGGINGFACE, TINY, "")
    with container.serve(*SERVE_HUGGINGFACE) as server:
        (answer,) = json.loads(server.invoke('{"inputs": "very good"}', "application/json")[2])
        assert answer["label"] in ("bad", "good")
        assert 0.5 <= answer["score"] <= 1
        both = json.loads(server.invoke('{"inputs": ["good"], "parameters": {"top_k": 2}}', "application/json")[2])
        assert {each["label"] for each in both[0]} == {"bad", "good"}
        many = json.loads(server.invoke("inputs\ngood\nbad\n", "text/csv", "application/json")[2])
        assert len(many) == 2
