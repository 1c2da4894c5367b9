"""What runs in the scikit-learn container: training as a script, and `model_fn` for the model server."""

import argparse
import os
from pathlib import Path

import joblib
import pandas as pd
from sklearn.ensemble import RandomForestRegressor


def model_fn(model_dir: str) -> RandomForestRegressor:
    return joblib.load(Path(model_dir) / "model.joblib")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-estimators", type=int, default=100)
    parser.add_argument("--min-samples-leaf", type=int, default=1)
    parser.add_argument("--train", type=Path, default=os.environ.get("SM_CHANNEL_TRAIN"))
    parser.add_argument("--model-dir", type=Path, default=os.environ.get("SM_MODEL_DIR"))
    arguments = parser.parse_args()

    abalones = pd.concat(pd.read_csv(path) for path in sorted(arguments.train.glob("*.csv")))
    features, rings = abalones.drop(columns="rings"), abalones["rings"]
    forest = RandomForestRegressor(
        n_estimators=arguments.n_estimators,
        min_samples_leaf=arguments.min_samples_leaf,
        oob_score=True,
        random_state=7,
    )
    forest.fit(features.to_numpy(), rings)
    print(f"rows={len(abalones)} oob_r2={forest.oob_score_:.4f}", flush=True)
    joblib.dump(forest, arguments.model_dir / "model.joblib")


if __name__ == "__main__":
    main()
