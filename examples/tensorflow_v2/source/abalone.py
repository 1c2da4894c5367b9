"""Trains a network on the abalones and saves it as TensorFlow Serving finds it: in a directory named by its version."""

import argparse
import csv
import os

import keras
import numpy as np

SEXES = {"I": 0, "F": 1, "M": 2}


def load(path: str) -> np.ndarray:
    with open(path) as file:
        return np.array([[SEXES[row[0]], *map(float, row[1:])] for row in csv.reader(file)], dtype="float32")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=10)
    # The SDK names a directory of S3; the model that the endpoint gets is what lies in SM_MODEL_DIR.
    parser.add_argument("--model_dir")
    arguments = parser.parse_args()

    keras.utils.set_random_seed(7)
    rows = load(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "abalone.csv"))
    normalise = keras.layers.Normalization()
    normalise.adapt(rows[:, :-1])
    model = keras.Sequential(
        [keras.Input((8,)), normalise, keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    history = model.fit(rows[:, :-1], rows[:, -1], epochs=arguments.epochs, batch_size=64, verbose=2)
    print(f"loss={history.history['loss'][-1]:.3f}")
    model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"))


if __name__ == "__main__":
    main()
