"""Errors of forecasts against the truth: arrays of one shape in, float64 inside, lower is better."""

from __future__ import annotations

import numpy as np


def errors(forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """truth - forecast in float64. Raises ValueError when the shapes differ: broadcasting would hide it."""
    if forecast.shape != truth.shape:
        raise ValueError(f"got forecasts {list(forecast.shape)}, needed the truth's shape {list(truth.shape)}")
    return truth.astype(np.float64) - forecast.astype(np.float64)


def mse(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared error."""
    return float(np.mean(errors(forecast, truth) ** 2))


def mae(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(errors(forecast, truth))))


def smape(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Symmetric mean absolute percentage error, 0 to 200 percent; 0 where both are 0 (Makridakis 1993)."""
    size = np.abs(truth.astype(np.float64)) + np.abs(forecast.astype(np.float64))
    ratio = np.divide(np.abs(errors(forecast, truth)), size, out=np.zeros(size.shape), where=size > 0)
    return float(200 * np.mean(ratio))


def mase(forecast: np.ndarray, truth: np.ndarray, naive: np.ndarray) -> float | None:
    """Mean absolute scaled error (Hyndman & Koehler 2006): each error over its series' naive error [N, 1, D].

    Series whose naive error is 0 have no scale and do not count; None where no series has one.
    """
    counted = np.broadcast_to(naive > 0, truth.shape)
    if not counted.any():
        return None
    scaled = np.abs(errors(forecast, truth)) / np.where(naive > 0, naive, 1.0)
    return float(scaled[counted].mean())


def mse_by_step(forecast: np.ndarray, truth: np.ndarray) -> list[float]:
    """Mean squared error of [N, H, D] for each step ahead: H values."""
    return [float(value) for value in np.mean(errors(forecast, truth) ** 2, axis=(0, 2))]
