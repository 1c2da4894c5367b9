"""Object2Vec: pairs of lists of tokens, alike or not."""

import gzip
import random

from clary.algorithms.kit.channels import CSV
from clary.algorithms.kit.formats import JSON, JSONLINES
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.cases.lines import NO_LIST, asked, rows


def make(seed: int) -> Job:
    """Two kinds of tokens: a pair is alike where both are of one."""
    chance, found = random.Random(seed), []
    for _ in range(120):
        kinds = chance.randrange(2), chance.randrange(2)
        sides = [[kind * 5 + chance.randrange(5) for _ in range(3)] for kind in kinds]
        found.append({"label": int(kinds[0] == kinds[1]), "in0": sides[0], "in1": sides[1]})
    parameters = {
        "enc0_max_seq_len": "4",
        "enc0_vocab_size": "10",
        "enc0_network": "pooled_embedding",
        "enc0_token_embedding_dim": "4",
        "enc_dim": "4",
        "mlp_dim": "4",
        "epochs": "2",
    }
    return Job(parameters, {"train": Channel(JSONLINES, {"train.jsonl": rows(found)})})


def mistakes(good: Job) -> Mistakes:
    whole = b'{"label": 1, "in0": [1], "in1": [2]}\n'

    def second(line: bytes) -> Job:
        return good.holding("train", whole + line)

    return {
        "no JSON": (second(b'{"label"\n'), "train.jsonl, line 2"),
        "no object": (second(b"[1]\n"), "train.jsonl, line 2: it is no object with label, in0 and in1"),
        "no label": (second(b'{"in0": [1], "in1": [2]}\n'), "train.jsonl, line 2: label is None, and must be a number"),
        "label nan": (second(b'{"label": NaN, "in0": [1], "in1": [2]}\n'), "train.jsonl, line 2: label is nan"),
        "label beyond": (
            second(b'{"label": 2, "in0": [1], "in1": [2]}\n'),
            "train.jsonl, line 2: label is 2, and with num_classes=2 must be from 0 to 1",
        ),
        "huge label": (second(b'{"label": %d, "in0": [1], "in1": [2]}\n' % 10**400), "train.jsonl, line 2: label is"),
        "no whole label": (second(b'{"label": 0.5, "in0": [1], "in1": [2]}\n'), "train.jsonl, line 2: label is 0.5"),
        "negative token": (
            second(b'{"label": 1, "in0": [-1], "in1": [2]}\n'),
            "train.jsonl, line 2: in0 has the token -1",
        ),
        "token beyond": (
            second(b'{"label": 1, "in0": [1], "in1": [10]}\n'),
            "train.jsonl, line 2: in1 has the token 10, and tokens are from 0 to 9",
        ),
        "huge token": (
            second(b'{"label": 1, "in0": [1], "in1": [%d]}\n' % 10**30),
            "train.jsonl, line 2: in1 has the token",
        ),
        "no tokens": (
            second(b'{"label": 1, "in0": [], "in1": [2]}\n'),
            "train.jsonl, line 2: in0 is no list of whole numbers",
        ),
        "tokens of text": (
            second(b'{"label": 1, "in0": "ab", "in1": [2]}\n'),
            "train.jsonl, line 2: in0 is no list of whole numbers",
        ),
        "bytes": (second(b'{"label": 1, "in0": [1], "in1": "\xff"}\n'), "train.jsonl, line 2"),
        "gzip": (good.holding("train", gzip.compress(whole)[:-9]), "train.jsonl"),
        "vectors without a channel": (
            good.given(enc0_pretrained_embedding_file="v.txt"),
            "the channel auxiliary, which the job does not have",
        ),
        "comparators": (good.given(comparator_list="sum"), "'sum' is not valid for the 'comparator_list'"),
        "rate": (good.given(learning_rate="2"), "'2' is not valid for the 'learning_rate'"),
        "empty validation": (good.having("validation", JSONLINES, {"v.jsonl": b""}), no_data("validation")),
    }


REFUSALS = (
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[]", NO_LIST),
    Refusal(JSON, b'{"instances": []}', "there are no instances"),
    Refusal(JSON, b'{"instances": [7]}', NO_LIST),
    Refusal(JSON, b'{"instances": [{"in0": [10]}]}', "instance 0: in0 has the token 10, and tokens are from 0 to 9"),
    Refusal(JSON, b'{"instances": [{"in0": [%d]}]}' % 10**30, "instance 0: in0 has the token"),
    Refusal(JSON, b'{"instances": [{"in0": [1]}, {"in1": [1]}]}', "instance 1: in0 is no list of whole numbers"),
    Refusal(JSON, b'{"instances": [{"in0": "text"}]}', "instance 0: in0 is no list of whole numbers"),
    Refusal(f"{JSON}; infer_max_seqlens=0", b'{"instances": [{"in0": [1]}]}', "infer_max_seqlens=0 is not"),
    Refusal(f"{JSON}; infer_max_seqlens=x", b'{"instances": [{"in0": [1]}]}', "infer_max_seqlens=x is not"),
    Refusal(JSONLINES, b'{"in0": [1]}\n{"in0"\n', "line 2"),
    Refusal(CSV, b"1,2", "Content-type text/csv is not supported", 415),
    Refusal(JSON, b'{"instances": [{"in0": [1]}]}', "Accept type text/csv is not supported", 406, CSV),
)


CASE = Case(
    "object2vec",
    make,
    [Form(JSONLINES, JSONLINES, asked({"in0": [1, 2], "in1": [3]}, {"in0": [1, 2], "in1": [8]}))],
    ("scores",),
    mistakes,
    REFUSALS,
    "enc0_vocab_size",
    unfit="text/csv",
    slow=True,
)
