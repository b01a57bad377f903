"""One job from data to record: make -> fit -> predict_ahead -> score, each phase on its own clock."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

import implementations
from bench.data import datasets
from bench.data.datasets import GeneratedData, SeriesData
from bench.data.scores import scores
from bench.data.series_tasks import task_of
from bench.data.windows import Split
from bench.execution import user_methods
from bench.machine import calibration, disturbance
from bench.machine import environment as machine
from bench.machine.threads import cores
from bench.schema.record import Spec
from implementations import backends
from implementations.forecaster import Forecaster

REPEATS = 5  # timed forecasts, the first one aside
SLOW = 2.0  # seconds: a first forecast as long as this has no warm-up worth leaving out
BEYOND = 1e6  # times the largest value of the histories: forecasts further out are no forecasts
DIGITS = 6  # significant ones of the forecasts that go into the record


class Diverged(FloatingPointError):
    """Training or forecasts left the finite numbers."""


class InvalidOutput(ValueError):
    """The method broke its contract: says what was got and what is expected."""


class Clock:
    """Seconds by phase, since a process was spawned; one phase may be timed in several parts."""

    def __init__(self, spawned_ns: int) -> None:
        self.spawned_ns = spawned_ns
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block and add it to the phase."""
        start = time.perf_counter_ns()
        yield
        self.add(name, (time.perf_counter_ns() - start) / 1e9)

    def add(self, name: str, seconds: float) -> None:
        """Add seconds to a phase."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def stop(self) -> None:
        """Take the total."""
        self.seconds["total"] = (time.perf_counter_ns() - self.spawned_ns) / 1e9


def measure(spec: Spec, clock: Clock, files: Mapping[str, str]) -> dict[str, Any]:
    """Do the job and return the fields of its Run that it decides; `files` says where the series of a file lie.

    Raises FloatingPointError (Diverged is one), InvalidOutput, and whatever else the method raises.
    """
    with clock.phase("import"):
        backend = backends.load(spec.backend, threads=1, device="cuda" if spec.cuda else "cpu")
    with clock.phase("import"):
        user_methods.open_source(spec, files)
    with clock.phase("data"):
        data = load(spec, files)
        split = data.split
        before = datasets.digest(*flat(split))
    with clock.phase("build"):
        backend.seed(spec.seed)
        forecaster = implementations.make(spec.method, spec.backend, spec.seed, native=spec.native, **spec.settings)
    seen = fit(forecaster, split, clock)
    check_curve(forecaster)
    forecasts, samples = predict(forecaster, split, clock)
    with clock.phase("evaluate"):
        scored = score(forecaster, forecasts, data)
    clock.stop()
    if datasets.digest(*flat(split)) != before:
        raise InvalidOutput("the method changed its input: fit and predict_ahead must leave it as it was")
    return {
        **scored,
        "samples": {"predict": samples, "epochs": epoch_seconds(forecaster)},
        **timing(backend.thread_count(), seen, backend.device_name()),
        "curve": {name: [float(value) for value in values] for name, values in forecaster.curve.items()} or None,
        "parameters": forecaster.parameters(),
        "digest": {"forecasts": datasets.digest(forecasts), "weights": datasets.digest(*forecaster.weights())},
        "examples": [[float(f"{value:.{DIGITS}g}") for value in row] for row in data.examples(forecasts)],
        "truth": data.truth,
    }


def load(spec: Spec, files: Mapping[str, str]) -> GeneratedData | SeriesData:
    """The task's data. Raises ValueError when the series are not those that the spec was made for."""
    task = task_of(spec)
    if task is None:
        raise ValueError(f"{spec.task}: there is no such task")
    data = datasets.open_data(task, files, levels=implementations.class_of(spec.method).takes_levels)
    if data.digest != spec.data_sha256:
        raise ValueError(f"{task.name}: its series are not those that the job was planned for")
    return data


def flat(split: Split) -> list[np.ndarray]:
    """All arrays of a split."""
    return [array for pair in split for array in pair]


def fit(forecaster: Forecaster, split: Split, clock: Clock) -> dict[str, float]:
    """Fit under watch, and take the time apart as far as the method did; returns what was seen of the machine."""
    watch = disturbance.Watch()
    with clock.phase("fit"):
        forecaster.fit(*split.train, validation=split.validation)
    seen = watch.observe()
    for name in ("build", "first_step", "validate"):
        part = float(forecaster.seconds.get(name, 0.0))
        clock.add(name, part)
        clock.add("fit", -part)  # what is left is fit, so that the phases always add up to the whole
    return seen


def check_curve(forecaster: Forecaster) -> None:
    """Raise Diverged when a loss is not finite."""
    for name in ("loss", "val_loss"):
        for epoch, value in enumerate(forecaster.curve.get(name, []), 1):
            if not np.isfinite(value):
                raise Diverged(f"{name} is {value} in epoch {epoch}")


def predict(forecaster: Forecaster, split: Split, clock: Clock) -> tuple[np.ndarray, list[float]]:
    """Forecast the validation series again and again: the forecasts, and the seconds of each repeat."""
    history, future = split.validation
    with clock.phase("predict_first"):
        forecasts = forecaster.predict_ahead(history, future.shape[1])
    check(forecasts, future, "forecasts")
    check_sense(forecasts, history, "forecasts")
    first = clock.seconds["predict_first"]
    samples = [first] if first > SLOW else []
    while len(samples) < REPEATS:
        start = time.perf_counter_ns()
        forecaster.predict_ahead(history, future.shape[1])
        samples.append((time.perf_counter_ns() - start) / 1e9)
    clock.seconds["predict"] = float(np.median(samples))
    return forecasts, samples


def score(forecaster: Forecaster, forecasts: np.ndarray, data: GeneratedData | SeriesData) -> dict[str, Any]:
    """The errors on the validation series, and of forecasts made here on the test series."""
    split = data.split
    history, future = split.validation
    trained = None
    if type(forecaster).outputs is not Forecaster.outputs:  # else they are the forecasts: do not repeat them
        trained = forecaster.outputs(history, future)
        check(*trained, "outputs")
    test = forecaster.predict_ahead(split.test.history, future.shape[1])
    check(test, split.test.future, "test forecasts")
    check_sense(test, split.test.history, "test forecasts")
    return scores(data, forecasts, test, trained)


def check(forecasts: np.ndarray, truth: np.ndarray, what: str) -> None:
    """Raise InvalidOutput for another shape or type than the truth's, and Diverged for a NaN or an infinity."""
    if type(forecasts) is not np.ndarray:
        raise InvalidOutput(f"{what}: got {type(forecasts).__name__}, expected a NumPy array")
    if forecasts.shape != truth.shape or forecasts.dtype != np.float32:
        got, expected = f"{forecasts.dtype} {list(forecasts.shape)}", f"float32 {list(truth.shape)}"
        raise InvalidOutput(f"{what}: got {got}, expected {expected}")
    wrong = int((~np.isfinite(forecasts)).sum())
    if wrong:
        raise Diverged(f"{what}: {wrong} of {forecasts.size} values are not finite")


def check_sense(forecasts: np.ndarray, history: np.ndarray, what: str) -> None:
    """Raise Diverged for forecasts [N, H, D] beyond all measure, or blind to the histories [N, T, D] they follow."""
    largest, allowed = float(np.abs(forecasts).max()), BEYOND * float(np.abs(history).max() or 1.0)
    if largest > allowed:
        raise Diverged(f"{what}: got values up to {largest:.3g}, expected at most {allowed:.3g}")
    if (forecasts == forecasts[:1]).all() and not (history[:, -1] == history[:1, -1]).all():
        raise Diverged(f"{what}: got the same for all {len(history)} series, expected them to follow from the history")


def epoch_seconds(forecaster: Forecaster) -> list[float]:
    """The seconds of each epoch, from the curve's running total."""
    return [float(value) for value in np.diff(forecaster.curve.get("seconds", []), prepend=0.0)]


def timing(threads: int, seen: dict[str, float], device: str) -> dict[str, Any]:
    """Whether the seconds can be trusted, and what was seen of the machine while they were taken."""
    affinity = len(cores())
    reason = disturbance.explain_disturbance(seen, threads, affinity, cuda=device != "cpu")
    environment = {**machine.fingerprint(), "threads": threads, "affinity": affinity}
    if device != "cpu":
        environment["gpu"] = device
    environment[calibration.CALIBRATION] = round(calibration.seconds(), 6)
    environment |= {name: round(value, 4) for name, value in seen.items()}
    return {"timing_valid": reason is None, "timing_reason": reason, "environment": environment}
