"""How good forecasts are: root mean square error and weighted quantile losses, as AWS defines them for DeepAR.

RMSE = √ mean (ŷ - y)², ŷ the mean of the samples      wQuantileLoss[τ] = 2 Σ τ(y - q)⁺ + (1 - τ)(q - y)⁺ / Σ |y|
"""

import numpy as np

from clary.algorithms.forecasting_deepar.series import Numbers


def scores(samples: Numbers, actual: Numbers, quantiles: list[float]) -> dict[str, float]:
    """Of samples (series, samples, steps) against (series, steps), where NaN is not known; by AWS's names."""
    known = np.isfinite(actual)
    truth = actual[known]
    if not truth.size:
        return {}
    error = samples.mean(axis=1)[known] - truth
    losses = {quantile: _loss(np.quantile(samples, quantile, axis=1)[known], truth, quantile) for quantile in quantiles}
    size = float(np.abs(truth).sum()) or 1.0
    return {
        "RMSE": float(np.sqrt(np.mean(error**2))),
        "mean_absolute_QuantileLoss": float(np.mean(list(losses.values()))),
        "mean_wQuantileLoss": float(np.mean(list(losses.values()))) / size,
        **{f"wQuantileLoss[{quantile}]": loss / size for quantile, loss in losses.items()},
    }


def _loss(forecast: Numbers, truth: Numbers, quantile: float) -> float:
    short = truth - forecast
    return float(2 * np.maximum(quantile * short, (quantile - 1) * short).sum())
