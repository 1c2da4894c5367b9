"""The built-in XGBoost algorithm: `python -m clary.algorithms.xgboost train` and `… serve`."""
