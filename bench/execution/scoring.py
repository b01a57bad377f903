"""From what a worker left to its record: every error, digest and example is computed here, where no method runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

import implementations
from bench.data.datasets import Pair
from bench.data.digests import digest
from bench.data.scores import scores
from bench.execution.handing import Data
from bench.execution.orders import BOUNDS, Measured, Order, head
from bench.execution.outputs import InvalidOutput, check_array, check_probabilities, check_size, constant
from bench.execution.supervision import Watched
from bench.machine import disturbance
from bench.machine import environment as machine
from bench.machine.calibration import CALIBRATION
from bench.records import codec
from bench.schema.record import Run
from bench.tasks.main_metric import main_of
from implementations.kinds import CLASSIFY

DIGITS = 6  # significant ones of the forecasts that go into the record
SLACK, SHARE = 0.25, 0.05  # seconds, and share, by which the worker's clock may say less than the harness'
WRITABLE = "results_writable"  # in a record's environment: its method could have written to the results folder
AFTER = 2.0  # seconds that a process may take to end after its clock has stopped
MOST_CPU = 1.1  # seconds of CPU per second: more, and something ran beside the worker's core
LONG = 1.0  # seconds from which on that can be told


class InvalidTimes(ValueError):
    """A worker's times cannot be: says which."""


def score(order: Order, measured: Measured, made: Mapping[str, np.ndarray], data: Data, watched: Watched) -> Run:
    """Return the record of a finished job. Raises InvalidOutput, InvalidTimes, and Diverged."""
    split = data.split
    forecasts = checked(made, "forecasts", split.validation.future.shape, "forecasts")
    check_size(forecasts, split.validation.history, "forecasts")
    test = checked(made, "test", split.test.future.shape, "test forecasts")
    check_size(test, split.test.history, "test forecasts")
    if data.kind == CLASSIFY:
        check_probabilities(forecasts, "classes")
        check_probabilities(test, "test classes")
    check_times(measured, watched)
    if order.spec.source and not getattr(implementations.METHODS.get(order.spec.method), "network", False):
        count_as_fit(measured.seconds)
    run = Run(
        **head(order),
        status="ok",
        reason=constant(forecasts, split.validation.history),
        **scores(
            data,
            forecasts,
            test,
            trained_outputs(measured, made, data, forecasts),
            bounds_of(made, test.shape),
            main_of(order.spec),
        ),
        seconds=measured.seconds,
        samples=measured.samples,
        **timing(order, measured, watched),
        curve=measured.curve,
        parameters=measured.parameters,
        digest={"forecasts": digest(forecasts), "weights": measured.weights or digest()},
        test_series=data.test_series,
        examples=[[float(f"{value:.{DIGITS}g}") for value in row] for row in data.examples(forecasts)],
        truth=data.truth,
    )
    codec.decode(codec.encode(run), codec.path_of(order.spec))  # could it be read again?
    return run


def bounds_of(made: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> Pair | None:
    """Return the bounds of the test forecasts; None of a method without intervals. Raises InvalidOutput."""
    if not made.keys() & set(BOUNDS):
        return None
    lower, upper = (checked(made, name, shape, f"{name} bounds") for name in BOUNDS)
    return lower, upper


def checked(made: Mapping[str, np.ndarray], name: str, shape: tuple[int, ...], what: str) -> np.ndarray:
    """Return an array that a worker left. Raises InvalidOutput where it is missing, and for another type or shape."""
    if name not in made:
        raise InvalidOutput(f"{what}: got none, expected float32 {list(shape)}")
    return check_array(made[name], shape, what)


def trained_outputs(
    measured: Measured, made: Mapping[str, np.ndarray], data: Data, forecasts: np.ndarray
) -> Pair | None:
    """Everything that the method is trained to output and its truth, on the scale that it is trained on.

    None where that is the forecasts as they are compared. Raises InvalidOutput for what is no part of the series.
    """
    if not measured.trained_outputs:
        return None
    history, future = data.split.validation
    places = made.get("places")
    if places is None:
        return forecasts, future
    series = np.concatenate([history, future], axis=1).reshape(len(history), -1)
    most = history.shape[1] * future[0].size  # a block at every step
    whole = places.ndim == 2 and np.issubdtype(places.dtype, np.integer) and 0 < places.size <= most
    if not whole or places.min() < 0 or places.max() >= series.shape[1]:
        raise InvalidOutput("outputs: the task compares them with a stretch outside the series")
    return checked(made, "outputs", (len(history), *places.shape), "outputs"), series[:, places]


def check_times(measured: Measured, watched: Watched) -> None:
    """Raise InvalidTimes for seconds that are negative, no numbers, or more than have passed."""
    for name, seconds in measured.seconds.items():
        if not (math.isfinite(seconds) and seconds >= -1e-3):
            raise InvalidTimes(f"its times cannot be: {seconds:.3g} s for {name}")
        if seconds > watched.wall + SLACK:
            raise InvalidTimes(f"its times cannot be: {seconds:.3g} s for {name}, {watched.wall:.3g} s in all")
    for seconds in (one for values in measured.samples.values() for one in values):
        if not (math.isfinite(seconds) and seconds >= 0):
            raise InvalidTimes(f"its times cannot be: {seconds:.3g} s for a repeat")
    for name in [name for name, seconds in measured.seconds.items() if seconds < 0]:
        measured.seconds[name] = 0.0  # a rounding


def count_as_fit(seconds: dict[str, float]) -> None:
    """Count as fit what a method from outside says it did meanwhile: only this repository's training knows better."""
    for name in ("build", "first_step", "validate"):
        seconds["fit"] = seconds.get("fit", 0.0) + seconds.get(name, 0.0)
        seconds[name] = 0.0


def timing(order: Order, measured: Measured, watched: Watched) -> dict[str, Any]:
    """Return whether the seconds can be trusted, and what was seen of the machine while they were taken."""
    cuda = measured.device != "cpu"
    disturbed = disturbance.explain_disturbance(measured.seen, measured.threads, measured.affinity, cuda=cuda)
    shared = f"{order.workers} runs shared the GPU" if cuda and order.workers > 1 else None
    reason = "; ".join(filter(None, [shared, disturbed, *doubts(measured, watched)])) or None
    environment = {**machine.fingerprint(), "threads": measured.threads, "affinity": measured.affinity}
    if cuda:
        environment["gpu"] = measured.device
    environment[CALIBRATION] = round(measured.calibration, 6)
    environment |= {name: round(value, 4) for name, value in measured.seen.items()}
    environment |= {"wall_seconds": round(watched.wall, 4), "cpu_seconds": round(watched.cpu, 4)}
    environment["workers"] = order.workers
    if not measured.closed:
        environment[WRITABLE] = True
    return {"timing_valid": reason is None, "timing_reason": reason, "environment": environment}


def doubts(measured: Measured, watched: Watched) -> list[str]:
    """Return what the harness' own clock, and the kernel's account of all processes, say against a worker's times."""
    seconds, found = measured.seconds, []
    parts = sum(seconds.get(name, 0.0) for name in ("build", "first_step", "fit", "validate"))
    predicted = measured.samples.get("predict", [])
    first = seconds.get("predict_first", 0.0)
    repeats = sum(predicted) - (first if first in predicted else 0.0)
    said = {"fit": parts, "first forecast": first, "forecasts": repeats}
    for (name, claimed), passed in zip(said.items(), watched.phases, strict=True):
        if claimed < passed * (1 - SHARE) - SLACK:
            found.append(f"{name} took {passed:.2f} s by the harness' clock, {claimed:.2f} s by its own")
    if not watched.orderly:
        found.append("its parts were not marked once each and in their order: by something else than the worker")
    if (total := seconds.get("total", 0.0)) < watched.wall * (1 - SHARE) - AFTER:
        found.append(f"the whole took {watched.wall:.2f} s by the harness' clock, {total:.2f} s by its own")
    if watched.wall > LONG and watched.cpu > MOST_CPU * watched.wall:
        found.append(f"{watched.cpu / watched.wall:.1f} cores in use by it and its children")
    return found
