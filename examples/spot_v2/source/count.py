"""Runs in the training job: counts epochs, and begins where the last checkpoint ends."""

import argparse
import json
import os
import time
from pathlib import Path

CHECKPOINT = Path("/opt/ml/checkpoints/state.json")

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=8)
parser.add_argument("--seconds", type=float, default=3.0)
arguments = parser.parse_args()

done = json.loads(CHECKPOINT.read_text())["epochs"] if CHECKPOINT.exists() else 0
print(f"beginning after epoch {done}", flush=True)
for epoch in range(done + 1, arguments.epochs + 1):
    time.sleep(arguments.seconds)
    # Written beside it and renamed: a checkpoint is whole, whenever the job is interrupted.
    fresh = CHECKPOINT.with_suffix(".new")
    fresh.write_text(json.dumps({"epochs": epoch}))
    fresh.rename(CHECKPOINT)
    print(f"epoch {epoch} done", flush=True)
Path(os.environ["SM_MODEL_DIR"], "epochs.txt").write_text(str(arguments.epochs))
