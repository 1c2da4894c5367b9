"""BlazingText: sentences of two kinds."""

import random

from clary.algorithms.kit.channels import CSV
from clary.algorithms.kit.formats import JSON, JSONLINES
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.cases.lines import NO_LIST, asked

KINDS = ("sport", "food")


WORDS = {"sport": ["ball", "team", "goal", "match"], "food": ["bread", "cheese", "soup", "salt"]}


def sentences(seed: int) -> bytes:
    chance = random.Random(seed)
    kinds = [chance.choice(KINDS) for _ in range(200)]
    return "".join(f"__label__{kind} {' '.join(chance.choices(WORDS[kind], k=5))}\n" for kind in kinds).encode()


def make(seed: int) -> Job:
    parameters = {"mode": "supervised", "vector_dim": "8", "buckets": "1000", "epochs": "10", "min_count": "1"}
    return Job(parameters, {"train": Channel("text/plain", {"train.txt": sentences(seed)})})


def mistakes(good: Job) -> Mistakes:
    def lines(content: bytes) -> Job:
        return good.typed("train", JSONLINES).holding("train", content)

    return {
        "no label": (good.holding("train", b"ball team\n"), "train.txt, line 1: no word begins with __label__"),
        "no words": (
            good.given(mode="skipgram", min_count="9").holding("train", b"ball team\n"),
            "Empty vocabulary. Try a smaller min_count value",
        ),
        "empty lines alone": (good.holding("train", b"\n\n"), no_data("train")),
        "no text": (good.holding("train", b"\xff\xfe\x00\x01\n"), "train.txt, line 1"),
        "subwords": (good.given(mode="batch_skipgram", subwords="True"), "batch_skipgram"),
        "early stopping": (
            good.given(early_stopping="True"),
            "early_stopping is True, and needs the channel validation",
        ),
        "mode": (good.given(mode="word2vec"), "'word2vec' is not valid for the 'mode'"),
        "no JSON": (lines(b'{"source": "ball", "label": 1}\n{"source"\n'), "train.txt, line 2 is no JSON"),
        "JSON without source": (
            lines(b'{"source": "ball", "label": 1}\n{"label": 2}\n'),
            "train.txt, line 2: source (a text) and label are needed",
        ),
        "JSON of a list": (lines(b"[1]\n"), "train.txt, line 1: source (a text) and label are needed"),
        "JSON of bytes": (lines(b'{"source": "\xff"}\n'), "train.txt, line 1"),
        "label of an object": (lines(b'{"source": "ball", "label": {"a": 1}}\n'), "train.txt, line 1"),
        "label of nothing": (lines(b'{"source": "ball", "label": []}\n'), "train.txt, line 1"),
        "empty validation": (good.having("validation", "text/plain", {"v.txt": b""}), no_data("validation")),
    }


REFUSALS = (
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[]", NO_LIST),
    Refusal(JSON, b'{"instances": [7]}', "7 is no text"),
    Refusal(JSON, b'{"instances": ["ball"], "configuration": {"k": 0}}', "k is 0, and must be a whole number"),
    Refusal(JSON, b'{"instances": ["ball"], "configuration": [1]}', "configuration is [1], and must be an object"),
    Refusal(JSONLINES, b'{"source": "ball"}\n{"k": 1}\n', 'example 2 has no "source"'),
    Refusal(JSONLINES, b'{"source": "ball"}\n{"k"\n', "line 2"),
    Refusal(JSONLINES, b"\xff\n", "can't decode byte 0xff"),
    Refusal(CSV, b"ball", "Content-type text/csv is not supported", 415),
)


CASE = Case(
    "blazingtext",
    make,
    [Form(JSONLINES, JSONLINES, asked({"source": "ball team"}, {"source": "soup and salt", "k": 2}))],
    ("label", "prob"),
    mistakes,
    REFUSALS,
    "mode",
    unfit="text/csv",
)
