"""Sequence-to-Sequence: words, and the same from the last to the first."""

import json
import random

import numpy as np

from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.algorithms.kit.formats import JSON, JSONLINES
from clary.toolkits.recordio_writing import write_tensors
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.cases.lines import NO_LIST, asked

SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")


SOURCE = {word: number for number, word in enumerate([*SPECIAL, "one", "two", "three"])}


TARGET = {word: number for number, word in enumerate([*SPECIAL, "uno", "due", "tre"])}


def translations(seed: int, count: int = 60) -> bytes:
    chance = random.Random(seed)
    found = [[chance.randrange(4, 7) for _ in range(3)] for _ in range(count)]
    return write_tensors({"source": np.array(each), "target": np.array(each[::-1])} for each in found)


def make(seed: int) -> Job:
    parameters = {
        "rnn_num_hidden": "8",
        "num_embed_source": "8",
        "num_embed_target": "8",
        "max_num_batches": "4",
        "checkpoint_frequency_num_batches": "2",
        "batch_size": "30",
        "beam_size": "2",
    }
    vocabularies = {"vocab.src.json": json.dumps(SOURCE).encode(), "vocab.trg.json": json.dumps(TARGET).encode()}
    return Job(
        parameters,
        {
            "train": Channel(RECORDIO, {"train.rec": translations(seed)}),
            "validation": Channel(RECORDIO, {"val.rec": translations(99, 10)}),
            "vocab": Channel("application/json", vocabularies),
        },
    )


def mistakes(good: Job) -> Mistakes:
    whole = translations(0, 2)

    def third(**tensors: np.ndarray) -> Job:
        return good.holding("train", whole + write_tensors([tensors]))

    one = np.array([4, 5])
    return {
        "no record": (good.holding("train", b"no records"), "train.rec: record 1: no RecordIO record begins at byte 0"),
        "cut record": (good.holding("train", whole[:-5]), "train.rec: record 2: the last record is cut short"),
        "no protobuf": (good.holding("train", b"\x0a\x23\xd7\xce\x08\x00\x00\x00nonsense"), "train.rec: record 1"),
        "no target": (third(source=one), "train.rec: record 3 has no numbers in the feature 'target'"),
        "empty source": (
            third(source=np.array([], int), target=one),
            "train.rec: record 3 has no numbers in the feature 'source'",
        ),
        "word beyond": (
            third(source=np.array([7]), target=one),
            "train.rec: record 3 has a number in 'source' that its vocabulary does not have: 7",
        ),
        "nan words": (third(source=np.array([np.nan], np.float32), target=one), "train.rec: record 3"),
        "no vocabulary": (good.holding("vocab", None), "The channel vocab has no vocab.src.json"),
        "vocabulary of no JSON": (good.holding("vocab", b"{"), "vocab.src.json is no JSON"),
        "vocabulary of a list": (
            good.holding("vocab", b"[1]"),
            "vocab.src.json is no object of words and their numbers",
        ),
        "vocabulary of bytes": (good.holding("vocab", b"\xff\xfe"), "vocab.src.json is no JSON"),
        "negative numbers": (good.holding("vocab", b'{"one": -4}'), "vocab.src.json"),
        "huge numbers": (good.holding("vocab", b'{"one": %d}' % 10**30), "vocab.src.json"),
        "empty validation": (good.holding("validation", b""), no_data("validation")),
        "no validation": (good.without("validation"), "'validation' is a required property"),
        "cell": (good.given(rnn_cell_type="red"), "'red' is not valid for the 'rnn_cell_type'"),
        "learning that runs away": (
            good.given(learning_rate="1e30", optimizer_type="sgd", clip_gradient="0"),
            "too large",
        ),
        "rate": (good.given(learning_rate="0"), "'0' is not valid for the 'learning_rate'"),
    }


REFUSALS = (
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[]", NO_LIST),
    Refusal(JSON, b'{"instances": [{"text": 1}]}', 'has no text "data"'),
    Refusal(JSON, b'{"instances": [{"data": ""}]}', "a sentence has no words"),
    Refusal(JSON, b'{"instances": [{"data": "one", "configuration": 7}]}', "configuration is 7, and must be an object"),
    Refusal(JSONLINES, b'{"source": "one"}\n{"source"\n', "line 2"),
    Refusal(RECORDIO, b"no record", "no RecordIO record begins at byte 0"),
    Refusal(
        RECORDIO,
        write_tensors([{"source": np.array([9])}]),
        "record 1 has no feature source with numbers of the vocabulary's words",
    ),
    Refusal(CSV, b"one", "Content-type text/csv is not supported", 415),
)


CASE = Case(
    "seq2seq",
    make,
    [
        Form(JSONLINES, JSONLINES, asked({"source": "one two"}, {"source": "three three one"})),
        Form(RECORDIO, RECORDIO, [write_tensors([{"source": np.array(each)}]) for each in ([4, 5], [6])], "RecordIO"),
    ],
    ("target",),
    mistakes,
    REFUSALS,
    "",
    ("batch_size", "0"),
    CSV,
    slow=True,
)
