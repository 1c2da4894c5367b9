"""The xgboost library, set up before its first import.

- Without scikit-learn: importing xgboost imports it, if it is there, for the sake of estimator classes that nothing
  here uses, and that is more than a second of every job's start. `None` in `sys.modules` is Python's own way to say
  "not there".
- With OpenMP's threads asleep while they wait. By default they spin, and where several jobs share the cores they
  then keep each other from working: a job of a second was seen to take five.
"""

import os
import sys
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_hidden = "sklearn" not in sys.modules
if _hidden:
    sys.modules["sklearn"] = None  # type: ignore[assignment]
try:
    import xgboost
finally:
    if _hidden:
        del sys.modules["sklearn"]

RELEASE = tuple(map(int, xgboost.__version__.split(".")[:2]))
"""(1, 7): what a release can do decides in a few places what is done. The oldest that runs is 0.90."""

Callback: Any = getattr(xgboost.callback, "TrainingCallback", object)
"""What is called after each round derives from this, where the release knows such classes (1.3)."""

__all__ = ["RELEASE", "Callback", "xgboost"]
