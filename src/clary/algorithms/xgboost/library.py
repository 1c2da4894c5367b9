"""The xgboost library, imported without scikit-learn.

Importing xgboost imports scikit-learn, if it is there, for the sake of its estimator classes, which
nothing here uses: that is more than a second of every job's start. `None` in `sys.modules` is Python's
own way to say "not there".
"""

import sys

_hidden = "sklearn" not in sys.modules
if _hidden:
    sys.modules["sklearn"] = None  # type: ignore[assignment]
try:
    import xgboost
finally:
    if _hidden:
        del sys.modules["sklearn"]

__all__ = ["xgboost"]
