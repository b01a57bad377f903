"""The Python API in four examples; `make lint` checks their types, `make notebooks` runs them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

import bench
from implementations import Forecaster


class Fading(Forecaster):
    """Return to the mean, a share of the way at each step."""

    share: float = 0.9
    mean: np.ndarray

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Fading:
        """Learn the mean of each channel."""
        self.mean = history.mean(axis=(0, 1))
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D]."""
        fading = self.share ** np.arange(1, steps + 1, dtype=np.float32)[:, None]
        return np.asarray(self.mean + fading * (history[:, -1:] - self.mean), dtype=np.float32)


def run_methods(folder: Path) -> pd.DataFrame:
    """Run a method of the benchmark and one of this file, keep the records, and rank both."""
    results = bench.run(["last_value", Fading], tasks="ten-step", seeds=[42, 43], quick=True, results=folder)
    first = results[0]
    print(first.spec.method, first.status, len(bench.load_results(folder)))
    return results.rank()


def forecast_series(sales: pd.DataFrame) -> pd.DataFrame:
    """Race two methods on a series, and forecast twelve steps with the one to take."""
    race = bench.recommend(sales, ["theta", "seasonal_naive"], budget=60.0, target="units", ahead=12)
    method = str(race.loc[race["recommended"], "method"].iloc[0])
    return bench.forecast(sales, method, levels=[80.0, 95.0], target="units", ahead=12)


def main(folder: Path) -> None:
    """Run the examples, with the records in this folder."""
    print(run_methods(folder)[["place", "method", "test_mse"]])
    months = pd.date_range("2012-01-01", periods=96, freq="MS", name="month")
    units = 100 + 10 * np.sin(2 * np.pi * np.arange(96) / 12)
    print(forecast_series(pd.DataFrame({"units": units}, index=months)))
    try:
        bench.run("gruu")
    except bench.UsageError as error:
        print(error)


if __name__ == "__main__":
    main(Path("mine"))
