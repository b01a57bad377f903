"""Forecasts of every method's untrained network on one backend, as JSON: python untrained.py BACKEND."""

from __future__ import annotations

import json
import sys

import numpy as np

from implementations import METHODS, NetworkForecaster, backends, backends_of, make

HISTORY = np.random.default_rng(0).uniform(-1, 1, (3, 14, 2)).astype(np.float32)


def forecasts(method: str, backend: str) -> list[float]:
    forecaster = make(method, backend, seed=7)
    assert isinstance(forecaster, NetworkForecaster)
    forecaster._build(backends.load(backend), steps=14, channels=2, horizon=3)
    return forecaster.predict_ahead(HISTORY, 3).ravel().tolist()


backend = sys.argv[1]
print(json.dumps({name: forecasts(name, backend) for name in METHODS if backend in backends_of(name)}))
