"""DeepAR beside GluonTS's, after as many steps of networks of the same sizes; both beside last week once more.

The series are daily ones of two kinds, at any level, with promotions that are known beforehand.
"""

import json
import logging
import tempfile
import warnings
from typing import Any

import numpy as np
import pandas
import torch

from benchmarks.contests import Given, TrainingJob, contest
from clary.algorithms.forecasting_deepar.accuracy import scores
from clary.algorithms.forecasting_deepar.model import Model
from clary.algorithms.forecasting_deepar.series import parse
from clary.algorithms.vision import library

# What GluonTS imports takes torchvision, which is made ready by then.
assert library
from gluonts.torch import DeepAREstimator  # noqa: E402

warnings.simplefilter("ignore")
logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

SERIES, DAYS, AHEAD, WEEK = 320, 140, 14, 7
EPOCHS, BATCH, SAMPLES = 8, 32, 100
STEPS = SERIES * ((DAYS - AHEAD) // (2 * AHEAD)) // BATCH
"""Of an epoch of ours: of each series as many windows as fit into it."""
RATE = 5e-3
QUANTILES = [level / 10 for level in range(1, 10)]
WEEKS = np.array([[1, 1.2, 1.1, 0.9, 1.4, 2, 0.5], [2, 0.5, 0.7, 1, 1.1, 0.9, 1.2]])


def made() -> list[dict[str, Any]]:
    random, found = np.random.default_rng(0), []
    for number in range(SERIES):
        promoted = (random.random(DAYS) < 0.1).astype(np.float32)
        values = 10 ** random.uniform(0, 2) * WEEKS[number % 2][np.arange(DAYS) % WEEK] * (1 + promoted)
        target = (values * random.normal(1, 0.1, DAYS)).round(4)
        row = {"start": "2020-01-06 00:00:00", "target": target.tolist(), "cat": [number % 2]}
        found.append({**row, "dynamic_feat": [promoted.tolist()]})
    return found


rows = made()
truth = np.array([row["target"][-AHEAD:] for row in rows], np.float32)
known = [{**row, "target": row["target"][:-AHEAD], "dynamic_feat": [row["dynamic_feat"][0][:-AHEAD]]} for row in rows]
asked = [{**row, "target": row["target"][:-AHEAD]} for row in rows]

job = TrainingJob(
    "forecasting-deepar",
    {"train": Given({"train.json": "".join(f"{json.dumps(row)}\n" for row in known).encode()})},
    time_freq="D",
    context_length=AHEAD,
    prediction_length=AHEAD,
    epochs=EPOCHS,
    mini_batch_size=BATCH,
    learning_rate=RATE,
)


def entries(series: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As GluonTS takes them."""
    return [
        {
            "start": pandas.Period(row["start"], "D"),
            "target": np.array(row["target"], np.float32),
            "feat_static_cat": row["cat"],
            "feat_dynamic_real": np.array(row["dynamic_feat"], np.float32),
        }
        for row in series
    ]


def train_theirs() -> Any:
    torch.manual_seed(1)
    np.random.seed(1)  # GluonTS draws windows by it.
    with tempfile.TemporaryDirectory() as directory:
        quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
        return DeepAREstimator(
            "D",
            AHEAD,
            context_length=AHEAD,
            lr=RATE,
            num_feat_dynamic_real=1,
            num_feat_static_cat=1,
            cardinality=[2],
            embedding_dimension=[10],
            batch_size=BATCH,
            num_batches_per_epoch=STEPS,
            num_parallel_samples=SAMPLES,
            trainer_kwargs={"max_epochs": EPOCHS, "default_root_dir": directory, **quiet},
        ).train(entries(known))


def forecast_ours(model: Model) -> np.ndarray:
    return model.forecast([model.shape.fit(parse(row), "", AHEAD) for row in asked], SAMPLES)


def forecast_theirs(predictor: Any) -> np.ndarray:
    return np.stack([each.samples for each in predictor.predict(entries(asked))])


def loss(samples: np.ndarray) -> float:
    return scores(samples, truth, QUANTILES)["mean_wQuantileLoss"]


lastly = loss(np.tile(np.array([row["target"][-WEEK:] for row in known], np.float32), 2)[:, None, :])
contest(
    f"{SERIES} series of {DAYS - AHEAD} days, {EPOCHS * STEPS} steps of {BATCH}",
    "GluonTS DeepAREstimator",
    lambda: Model.load(job()),
    train_theirs,
    "mean weighted quantile loss, of last week's",
    lambda model: loss(forecast_ours(model)) / lastly,
    lambda predictor: loss(forecast_theirs(predictor)) / lastly,
    rounds=1,
)
model, predictor = Model.load(job()), train_theirs()
contest(
    f"{SERIES} forecasts of {AHEAD} days, {SAMPLES} samples",
    "GluonTS PyTorchPredictor",
    lambda: forecast_ours(model),
    lambda: forecast_theirs(predictor),
    "mean weighted quantile loss, of last week's",
    lambda samples: loss(samples) / lastly,
    lambda samples: loss(samples) / lastly,
)
