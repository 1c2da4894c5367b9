"""IP Insights: who was seen at which address."""

import gzip
import random

from clary.algorithms.kit.channels import CSV, RECORDIO
from clary.algorithms.kit.formats import JSON, JSONLINES
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.cases.lines import NO_LIST


def make(seed: int) -> Job:
    chance = random.Random(seed)
    lines = [f"user_{n % 10},10.{n % 10}.{chance.randrange(9)}.{chance.randrange(9)}\n" for n in range(200)]
    parameters = {"num_entity_vectors": "100", "vector_dim": "4", "epochs": "1", "mini_batch_size": "50"}
    return Job(parameters, {"train": Channel(CSV, {"events.csv": "".join(lines).encode()})})


def mistakes(good: Job) -> Mistakes:
    def second(line: bytes) -> Job:
        return good.holding("train", b"user_1,10.0.0.1\n" + line)

    return {
        "one column": (second(b"user_2\n"), "events.csv, line 2: 'user_2' has not two columns"),
        "no address": (second(b"user_2,10.0.0.256\n"), "events.csv, line 2: '10.0.0.256' is no IPv4 address"),
        "missing address": (second(b"user_2,\n"), "events.csv, line 2: '' is no IPv4 address"),
        "missing entity": (second(b",10.0.0.1\n"), "events.csv, line 2: ',10.0.0.1' has not two columns"),
        "address with a nul": (second(b"user_2,10.0.\x000.1\n"), "events.csv, line 2"),
        "bytes": (second(b"\xff\xfe,10.0.0.1\n"), "events.csv, line 2"),
        "gzip": (good.holding("train", gzip.compress(b"user_1,10.0.0.1\n" * 99)[:-9]), "events.csv"),
        "no samples": (
            good.given(random_negative_sampling_rate="0", shuffled_negative_sampling_rate="0"),
            "must add up to 1 at least",
        ),
        "rate": (good.given(learning_rate="11"), "'11' is not valid for the 'learning_rate'"),
        "empty validation": (good.having("validation", CSV, {"v.csv": b""}), no_data("validation")),
    }


REFUSALS = (
    Refusal(CSV, b"user_1\n", "line 1: 'user_1' has not two columns"),
    Refusal(CSV, b"user_1,10.0.0.1\nuser_1,10.1\n", "line 2: '10.1' is no IPv4 address"),
    Refusal(CSV, b"", "there are no events in it"),
    Refusal(CSV, b"\xff,10.0.0.1\n", "can't decode byte 0xff"),
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[]", NO_LIST),
    Refusal(
        JSON, b'{"instances": [{"features": ["user_1"]}]}', 'has no "features" with an entity and its IPv4 address'
    ),
    Refusal(JSON, b'{"instances": [{"features": ["user_1", 7]}]}', "'7' is no IPv4 address"),
    Refusal(JSON, b'{"instances": [null]}', 'has no "features"'),
    Refusal(JSONLINES, b'{"features": ["user_1", "10.0.0.1"]}\n{"features"\n', "line 2"),
    Refusal("text/plain", b"user_1,10.0.0.1", "Content-type text/plain is not supported", 415),
)


CASE = Case(
    "ipinsights",
    make,
    [Form(CSV, JSONLINES, [b"user_1,10.1.2.3", b"user_2,10.9.9.9", b"nobody,1.2.3.4"])],
    ("dot_product",),
    mistakes,
    REFUSALS,
    "vector_dim",
    unfit=RECORDIO,
)
