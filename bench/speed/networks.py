"""asv: training and forecasting, one method of each family in each backend; its memory, and its error as an alarm.

Every parameter runs in separate processes, so that no process imports two frameworks; several, because each finds its
memory laid out in another way. One thread, and CPU seconds at a steady pace: what else the machine does counts less.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from bench.machine import threads

os.environ.update({**threads.ONE_THREAD, **threads.FIXED})  # before NumPy or a framework is imported

import numpy as np

import implementations
from bench import metrics
from bench.data import generators, windows
from bench.tasks import TASKS
from implementations import backends

from . import devices
from .clock import SteadyClock

TASK = TASKS["ten-step"].quick()
BACKENDS = ["keras", "keras-jax", "torch"]
FAMILIES = ["linear", "rnn_sequence", "lstm", "gru", "wavenet_simple"]
ROLLED = ["deep_rnn_growing", "gru", "wavenet_simple"]
TRACKED = ["rnn_sequence", "gru", "wavenet_simple"]
STEPS = {"linear": 200}  # batches to a sample: as many as make it last some ten milliseconds at least
USUAL = 40
AHEAD = 30  # steps to forecast: three blocks of those methods that forecast ten at once
FORECASTS = 5  # to a sample


@cache
def data() -> windows.Split:
    """Return the quick task's series: 700 to train on, 100 each for validation and test."""
    return windows.cut(generators.load(TASK), TASK)


def built(method: str, backend: str) -> Any:
    """Return a forecaster with its network, not trained."""
    forecaster: Any = implementations.make(method, backend, seed=42)
    history, future = data().train
    forecaster.build(backends.load(backend), history.shape[1], history.shape[2], future.shape[1])
    return forecaster


@cache
def trainer(method: str, backend: str) -> Any:
    """Return what trains the method's network, compiled and warm."""
    forecaster = built(method, backend)
    history, future = data().train
    targets = forecaster.strategy.targets(history, future)
    made = backends.load(backend).Trainer(forecaster.network, forecaster, history, targets)
    made.compile()
    made.epoch(order(method))
    return made


def order(method: str) -> np.ndarray:
    """Return which series to train on, in which order [batches * batch size]."""
    return np.random.default_rng(42).integers(0, TASK.train, STEPS.get(method, USUAL) * 32)


@cache
def forecaster(method: str, backend: str) -> Any:
    """Return a forecaster that has forecast once."""
    made = built(method, backend)
    made.predict_ahead(data().test.history, AHEAD)
    return made


class Training:
    """Training steps: 40 batches of 32 series (200 for the linear network), compilation left out."""

    params = (FAMILIES, BACKENDS)
    param_names = ("method", "backend")
    timer = SteadyClock()
    rounds, repeat, number, warmup_time = 4, 5, 1, 0

    def setup(self, method: str, backend: str) -> None:
        """Once for each process: the trainer is kept."""
        self.trainer, self.order = trainer(method, backend), order(method)

    def time_steps(self, method: str, backend: str) -> None:
        """Train."""
        self.trainer.epoch(self.order)


class Wide:
    """Training steps of 128 units, two batches of 256 series: where products count, and frameworks' own layers win."""

    params = (["rnn_sequence", "gru"], BACKENDS)
    param_names = ("method", "backend")
    timer = SteadyClock()
    rounds, repeat, number, warmup_time = 2, 3, 1, 0

    def setup(self, method: str, backend: str) -> None:
        """Compile, and warm up."""
        made: Any = implementations.make(method, backend, seed=42, units=128, batch_size=256)
        history, future = data().train
        engine = backends.load(backend)
        made.build(engine, history.shape[1], history.shape[2], future.shape[1])
        self.trainer = engine.Trainer(made.network, made, history, made.strategy.targets(history, future))
        self.trainer.compile()
        self.trainer.epoch(np.arange(256))

    def time_steps(self, method: str, backend: str) -> None:
        """Train."""
        self.trainer.epoch(np.arange(512))


class OnGpu:
    """Training steps on a GPU, compilation left out; without one asv leaves these rows out."""

    params = (["rnn_sequence", "lstm", "gru", "wavenet"], ["keras-jax", "torch"], [32, 512])
    param_names = ("method", "backend", "batch")

    def setup(self, method: str, backend: str, batch: int) -> None:
        """Raise NotImplementedError where there is no GPU, as asv wants it."""
        if not threads.has_cuda():
            raise NotImplementedError("no GPU")

    def track_step(self, method: str, backend: str, batch: int) -> float:
        """Return milliseconds of a step, of a process that may see the GPU."""
        return devices.measured(backend, method, batch, "cuda")["step"]

    track_step.unit = "ms"  # type: ignore[attr-defined]


class Forecasting:
    """Five forecasts of 30 steps for 100 series, rolled on from block to block."""

    params = (ROLLED, BACKENDS)
    param_names = ("method", "backend")
    timer = SteadyClock()
    rounds, repeat, number, warmup_time = 4, 5, 1, 0

    def setup(self, method: str, backend: str) -> None:
        """Once for each process: the forecaster is kept."""
        self.forecaster, self.history = forecaster(method, backend), data().test.history

    def time_30_steps_ahead(self, method: str, backend: str) -> None:
        """Forecast."""
        for _ in range(FORECASTS):
            self.forecaster.predict_ahead(self.history, AHEAD)


class Fit:
    """A whole fit of two epochs: what it leaves behind."""

    params = (TRACKED, BACKENDS)
    param_names = ("method", "backend")

    def track_last_step_mse(self, method: str, backend: str) -> float:
        """Return the seeded error on the validation series: when this moves, a change was not about speed alone."""
        made = implementations.make(method, backend, seed=42, epochs=2)
        made.fit(*data().train)
        history, future = data().validation
        return metrics.mse(made.predict_ahead(history, future.shape[1]), future)

    track_last_step_mse.unit = "mean squared error"  # type: ignore[attr-defined]


class Memory:
    """The largest size of a process, and how much of it the framework alone takes."""

    params = (BACKENDS,)
    param_names = ("backend",)

    def peakmem_import(self, backend: str) -> None:
        """Import the framework."""
        backends.load(backend)

    def peakmem_fit(self, backend: str) -> None:
        """Fit a network for one epoch."""
        implementations.make("gru", backend, seed=42, epochs=1).fit(*data().train)
