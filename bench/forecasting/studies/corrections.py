"""What a network adds to a fit of sines: `python -m bench.forecasting.studies.corrections`.

A perceptron reads a window, its forecast by two sines and what the fit leaves over, and learns to correct the forecast,
as hybrids do (Zhang 2003, doi:10.1016/S0925-2312(01)00702-0). The fits know histories alone. Trained and scored on
series split off from the training part of ten-step.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import numpy as np

from bench.data import datasets
from bench.reporting.markdown import table
from bench.tasks import SEARCHES
from bench.text import digits
from implementations import make
from implementations.curve_fitting import refine
from implementations.extrapolation import rows_of
from implementations.methods.sinusoids import STEPS, first_guess, model, slopes

SINES = 2
SETTINGS: dict[str, Any] = {"epochs": 20, "learning_rate": 0.001, "reverse": False}  # corrections backwards are others


def curves(history: np.ndarray, ahead: int, norm: int) -> np.ndarray:
    """Fit two sines to each history [N, T, 1] in a norm; return them there and ahead, [N, T + ahead, 1]."""
    rows = rows_of(history)
    steps = rows.shape[1]
    time = np.arange(1 - steps, ahead + 1) / steps
    known: dict[str, Any] = {"time": time[:steps], "sines": SINES}
    with np.errstate(all="ignore"):  # frequencies that are among those found already
        unknown, power = first_guess(rows, time[:steps], SINES, 0), 2
    while power <= norm:
        unknown = refine(unknown, rows, partial(model, **known), partial(slopes, **known), power, STEPS)
        power *= 2
    bounded: np.ndarray = np.clip(model(unknown, time, SINES), -2, 2).astype(np.float32)
    return bounded[:, :, None]


def errors(norm: int, backend: str) -> tuple[float, float]:
    """Return the MSE on the series split off, of the sines alone and with the network's correction."""
    split = datasets.open_data(SEARCHES["ten-step-search"], {}).split
    inputs, wanted = [], []
    for history, future in (split.train, split.validation):
        steps, ahead = history.shape[1], future.shape[1]
        fit = curves(history, ahead, norm)
        inputs.append(np.concatenate([history, fit[:, steps:], history - fit[:, :steps]], axis=1))
        wanted.append(future - fit[:, steps:])
    corrected = make("mlp", backend, 42, **SETTINGS).fit(inputs[0], wanted[0])
    left = wanted[1] - corrected.predict_ahead(inputs[1], wanted[1].shape[1])
    return float(np.square(wanted[1]).mean()), float(np.square(left).mean())


def main() -> None:
    """Print a table of the errors with the fit in two norms."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--backend", default="torch", help="default torch")
    backend = parser.parse_args().backend
    lines = [[str(norm), *map(digits, errors(norm, backend))] for norm in (2, 8)]
    print(table(["norm of the fit", "two sines", "and a network"], lines, left=[0]))


if __name__ == "__main__":
    main()
