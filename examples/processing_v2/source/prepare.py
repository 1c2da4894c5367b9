"""Runs in the processing job: splits the abalones, and turns their sex into numbers."""

import argparse
from pathlib import Path

import pandas as pd

BASE = Path("/opt/ml/processing")
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]

parser = argparse.ArgumentParser()
parser.add_argument("--test-share", type=float, default=0.2)
share = parser.parse_args().test_share

abalones = pd.concat(pd.read_csv(path, names=COLUMNS) for path in sorted((BASE / "input/raw").glob("*.csv")))
abalones["sex"] = abalones["sex"].map({"I": 0, "F": 1, "M": 2})
test = abalones.sample(frac=share, random_state=7)
for name, rows in (("train", abalones.drop(test.index)), ("test", test)):
    rows.to_csv(BASE / "output" / name / f"{name}.csv", index=False)
    print(f"{name}: {len(rows)} abalones")
Path("/opt/ml/output").mkdir(exist_ok=True)
Path("/opt/ml/output/message").write_text(f"{len(abalones)} abalones split")
