"""DeepAR: series of weeks."""

import gzip

import numpy as np

from clary.algorithms.kit.channels import CSV
from clary.algorithms.kit.formats import JSON, JSONLINES
from tests.algorithms.cases.case import Case, Channel, Form, Job, Mistakes, Refusal, no_data
from tests.algorithms.cases.lines import NO_LIST, asked, rows


def series(seed: int, steps: int = 40) -> dict[str, object]:
    values = np.random.default_rng(seed).normal(10, 1, steps) + np.arange(steps) % 7
    return {"start": "2020-01-01 00:00:00", "target": values.round(3).tolist()}


def make(seed: int) -> Job:
    parameters = {
        "context_length": "7",
        "prediction_length": "3",
        "epochs": "1",
        "time_freq": "D",
        "num_cells": "4",
        "num_layers": "1",
        "mini_batch_size": "32",
        "likelihood": "deterministic-L1",
    }
    return Job(parameters, {"train": Channel(JSONLINES, {"train.json": rows([series(seed + n) for n in range(4)])})})


def mistakes(good: Job) -> Mistakes:
    whole = rows([series(0)])

    def second(line: bytes) -> Job:
        return good.holding("train", whole + line)

    def other(**changes: object) -> Job:
        return second(rows([{**series(1), **changes}]))

    return {
        "no JSON": (second(b'{"start"\n'), "train.json, line 2 is no JSON"),
        "no object": (second(b"[1]\n"), "train.json, line 2: [1] is no object with start and target"),
        "no start": (second(b'{"target": [1]}\n'), "train.json, line 2: there is no start"),
        "no target": (second(b'{"start": "2020-01-01"}\n'), "train.json, line 2: there is no target"),
        "no date": (other(start="then"), "train.json, line 2: start is 'then', and must be YYYY-MM-DD HH:MM:SS"),
        "date of a number": (other(start=7), "train.json, line 2"),
        "target of text": (other(target="abc"), "train.json, line 2: target is not a list of numbers"),
        "target of words": (other(target=[1, "a"]), "train.json, line 2: target is not a list of numbers"),
        "infinite": (
            second(b'{"start": "2020-01-01", "target": [1, Infinity]}\n'),
            "train.json, line 2: target has an infinite value",
        ),
        "nested": (other(target=[[1, 2], [3, 4]]), "train.json, line 2: target is not a list of numbers"),
        "uneven categories": (other(cat=[0]), "train.json, line 2 has another number of values in cat"),
        "category of text": (other(cat=["a"]), "train.json, line 2"),
        "negative category": (
            good.holding("train", rows([{**series(0), "cat": [-1]}])),
            "train.json, line 1 has the category -1 in cat",
        ),
        "category beyond": (
            good.given(cardinality="[2]").holding("train", rows([{**series(0), "cat": [2]}])),
            "has the category 2 in cat, which must be from 0 to 1",
        ),
        "short feature": (
            good.holding("train", rows([{**series(0), "dynamic_feat": [[1.0]]}])),
            "train.json, line 1 has dynamic_feat of 1 values, and 40 are needed",
        ),
        "uneven features": (
            good.holding("train", rows([{**series(0), "dynamic_feat": [[1.0], [1.0, 2.0]]}])),
            "train.json, line 1: dynamic_feat is not a list of numbers",
        ),
        "feature with a gap": (
            good.holding("train", rows([{**series(0), "dynamic_feat": [[None] * 40]}])),
            "train.json, line 1: dynamic_feat has a missing value",
        ),
        "feature of numbers": (
            good.holding("train", rows([{**series(0), "dynamic_feat": [1.0] * 40}])),
            "train.json, line 1",
        ),
        "bytes": (second(b"\xff\xfe\n"), "train.json, line 2"),
        "broken gzip": (good.holding("train", gzip.compress(whole)[:-12]), "train.json"),
        "broken parquet": (good.holding("train", b"PAR1nonsense", "more.parquet"), "more.parquet"),
        "beta": (good.given(likelihood="beta"), "train.json, line 1 has a target outside of 0 to 1"),
        "counts": (good.given(likelihood="negative-binomial"), "train.json, line 1 has a target that is no count"),
        "frequency": (good.given(time_freq="1Y"), "'1Y' is not valid for the 'time_freq'"),
        "cardinality": (good.given(cardinality="7"), "'7' is not valid for the 'cardinality'"),
        "cardinality of text": (good.given(cardinality="seven"), "'seven' is not valid for the 'cardinality'"),
        "quantiles": (good.given(test_quantiles="[2]"), "'[2]' is not valid for the 'test_quantiles'"),
        "quantiles of a number": (good.given(test_quantiles="0.5"), "'0.5' is not valid for the 'test_quantiles'"),
        "features": (good.given(num_dynamic_feat="[1]"), "'[1]' is not valid for the 'num_dynamic_feat'"),
        "nothing known": (
            good.holding("train", rows([{**series(0), "target": [None] * 40}])),
            "No series of the channel 'train' has a value in its target that is known",
        ),
        "no values": (
            good.holding("train", rows([series(0), {**series(0), "target": []}])),
            "train.json, line 2: target is empty",
        ),
        "huge": (
            good.holding("train", rows([{**series(0), "target": [1e39] * 40}])),
            "train.json, line 1: target has an infinite value",
        ),
        "short test": (
            good.having("test", JSONLINES, {"t.json": rows([series(0, 2)])}),
            "No series of the channel test has more than prediction_length (3) values",
        ),
        "empty test": (good.having("test", JSONLINES, {"t.json": b""}), no_data("test")),
    }


REFUSALS = (
    Refusal(JSON, b"{", "Expecting property name"),
    Refusal(JSON, b"[]", NO_LIST),
    Refusal(JSON, b'{"instances": [{"start": "then", "target": [1]}]}', "instance 0: start is 'then'"),
    Refusal(JSON, b'{"instances": [{"start": "2020-01-01"}]}', "instance 0: there is no target"),
    Refusal(JSON, b'{"instances": [7]}', "instance 0: 7 is no object"),
    Refusal(
        JSON,
        b'{"instances": [{"start": "2020-01-01", "target": ["x"]}]}',
        "instance 0: target is not a list of numbers",
    ),
    Refusal(JSON, b'{"instances": [], "configuration": 7}', "configuration is 7, and must be an object"),
    Refusal(JSON, b'{"instances": [], "configuration": {"num_samples": 0}}', "num_samples is 0"),
    Refusal(JSON, b'{"instances": [], "configuration": {"quantiles": ["2"]}}', "quantiles has '2'"),
    Refusal(JSON, b'{"instances": [], "configuration": {"quantiles": [[]]}}', "quantiles has []"),
    Refusal(JSON, b'{"instances": [], "configuration": {"output_types": ["colour"]}}', "output_types has 'colour'"),
    Refusal(JSON, b'{"instances": [], "configuration": {"output_types": 7}}', "output_types is 7, and must be a list"),
    Refusal(JSONLINES, b'{"start": "2020-01-01", "target": [1]}\n{"start"\n', "line 2"),
    Refusal(CSV, b"1,2", "Content-type text/csv is not supported", 415),
)


CASE = Case(
    "forecasting-deepar",
    make,
    [Form(JSONLINES, JSONLINES, asked(series(50), series(51)))],
    ("quantiles", "mean"),
    mistakes,
    REFUSALS,
    "time_freq",
    unfit=CSV,
    slow=True,
)
