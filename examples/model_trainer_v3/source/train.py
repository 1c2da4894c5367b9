"""What `ModelTrainer` runs in the container."""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--learning-rate", type=float, default=0.1)
    parser.add_argument("--max-iter", type=int, default=100)
    arguments = parser.parse_args()

    abalones = np.loadtxt(Path(os.environ["SM_CHANNEL_TRAIN"]) / "train.csv", delimiter=",")
    features, rings = abalones[:, :-1], abalones[:, -1]
    regressor = HistGradientBoostingRegressor(
        learning_rate=arguments.learning_rate, max_iter=arguments.max_iter, random_state=7
    )
    regressor.fit(features, rings)
    print(f"rows={len(rings)} train_r2={regressor.score(features, rings):.4f}", flush=True)
    joblib.dump(regressor, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")


if __name__ == "__main__":
    main()
