"""One job in its worker: make -> fit -> predict_ahead, each phase on its own clock. Errors are computed elsewhere.

What is imported here is held by name before a method's code runs: a method that puts other clocks or functions into
those modules changes nothing of what is measured; the harness keeps its own time of it besides.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
import traceback
from collections.abc import Iterator
from time import perf_counter_ns
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np

import implementations
from bench.data.digests import digest
from bench.execution import arrays, packs, user_code
from bench.execution.orders import (
    BOUNDS,
    DONE,
    EPOCH,
    FITTED,
    FORECAST,
    READY,
    REPEATED,
    Handout,
    Measured,
    Order,
    ending,
    one_line,
    receive_order,
)
from bench.execution.outputs import InvalidOutput, check_array, check_curve, check_size
from bench.machine import calibration, disturbance, threads
from bench.metrics import LEVEL
from implementations import backends
from implementations.backends.protocol import Engine
from implementations.forecaster import Forecaster, answer
from implementations.network import NetworkForecaster
from implementations.statistical import RowForecaster

REPEATS = 5  # timed forecasts, the first one aside
LOOK = 0.5  # seconds between two looks at how many epochs are over
SLOW = 2.0  # seconds: a first forecast as long as this has no warm-up worth leaving out


class Clock:
    """Seconds by phase, since a process was spawned; one phase may be timed in several parts."""

    def __init__(self, spawned_ns: int) -> None:
        self.spawned_ns = spawned_ns
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block and add it to the phase."""
        start = perf_counter_ns()
        yield
        self.add(name, (perf_counter_ns() - start) / 1e9)

    def add(self, name: str, seconds: float) -> None:
        """Add seconds to a phase."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def stop(self) -> None:
        """Take the total."""
        self.seconds["total"] = (perf_counter_ns() - self.spawned_ns) / 1e9


class Channels(NamedTuple):
    """Handles of what a worker reads, and of what it writes to the harness."""

    given: int  # windows
    left: int  # the order, and then the result
    marks: int  # how far it is
    calls: int = -1  # from the harness: there is another order

    def mark(self, letter: int, times: int = 1) -> None:
        """Tell the harness how far the worker is."""
        os.write(self.marks, bytes([letter]) * times)


def serve(channels: Channels, entered: int, closed: bool) -> int:
    """Do the order, and where it says that the worker stays, another one at each call; the exit status.

    closed: whether the results folder cannot be written to from here.
    """
    while work(channels, entered, closed):
        gc.collect()
        channels.mark(DONE)
        if not os.read(channels.calls, 1):  # no more is wanted
            break
        entered = perf_counter_ns()
    return 0


def work(channels: Channels, entered: int, closed: bool) -> bool:
    """Do the order and leave what was measured, whatever becomes of it; whether the worker stays."""
    order = receive_order(channels.left)
    clock = Clock(order.spawned_ns)
    clock.add("start", (entered - order.spawned_ns) / 1e9)
    clock.add("import", (perf_counter_ns() - entered) / 1e9)
    made: dict[str, np.ndarray] = {}
    try:
        measured = measure(order, clock, channels, made)
    except FloatingPointError as error:
        measured = Measured(status="diverged", reason=one_line(str(error)))
    except InvalidOutput as error:
        measured = Measured(status="failed", reason=one_line(str(error)))
    except BaseException as error:  # a method that calls sys.exit, too
        traceback.print_exc()
        status, reason = ending(f"{type(error).__name__}: {error}")
        measured = Measured(status=status, reason=reason)
    arrays.leave(channels.left, made, lambda found: msgspec.structs.replace(measured, arrays=found, closed=closed))
    return order.stays


def measure(order: Order, clock: Clock, channels: Channels, made: dict[str, np.ndarray]) -> Measured:
    """Do the job: put copies of its arrays in `made` and return the rest.

    Raises FloatingPointError (Diverged is one), InvalidOutput, and whatever else the method raises.
    """
    spec = order.spec
    with clock.phase("import"):
        backend = backends.load(spec.backend, threads=1, device="cuda" if spec.cuda else "cpu")
        user_code.open_source(spec, order.files)
    with clock.phase("data"):
        given = Handout.of(arrays.read(channels.given, order.given, views=True))
        before = digest(*given)
    channels.mark(READY)
    with clock.phase("build"):
        backend.seed(spec.seed)
        settings = implementations.complete(spec.method, spec.settings)
        if "folder" in order.files:
            settings["folder"] = order.files["folder"]
        forecaster = implementations.make(
            spec.method, spec.backend, spec.seed, native=spec.native, kind=order.kind, **settings
        )
    with epochs_marked(forecaster, channels):
        forecaster, seen = fit(forecaster, given, clock, order)
    channels.mark(FITTED)
    check_curve(forecaster.curve)
    # one of ours without a network fits itself to each series as it forecasts: again it would only do the same
    repeats = REPEATS if spec.source or isinstance(forecaster, NetworkForecaster) else 1
    samples = predict(forecaster, given, order.ahead, clock, channels, made, repeats)
    with clock.phase("evaluate"):
        add_outputs(forecaster, given, order.ahead, made, bounded=bool(spec.series))
    clock.stop()
    if digest(*given) != before:
        raise InvalidOutput("the method changed its input: fit and predict_ahead must leave it as it was")
    return describe(forecaster, backend, clock.seconds, samples, seen)


def describe(
    forecaster: Forecaster,
    backend: Engine[Any],
    seconds: dict[str, float],
    samples: list[float],
    seen: dict[str, float],
) -> Measured:
    """Describe a job that ended well: times, curve, sizes, and what it computed on."""
    return Measured(
        status="ok",
        seconds=seconds,
        samples={"predict": samples, "epochs": epoch_seconds(forecaster)},
        curve={name: [float(value) for value in values] for name, values in forecaster.curve.items()} or None,
        trained_outputs=type(forecaster).outputs is not Forecaster.outputs,
        parameters=forecaster.parameters(),
        weights=digest(*forecaster.weights()),
        threads=backend.thread_count(),
        affinity=len(threads.cores()),
        device=backend.device_name(),
        calibration=calibration.seconds(),
        seen=seen,
    )


@contextlib.contextmanager
def epochs_marked(forecaster: Forecaster, channels: Channels) -> Iterator[None]:
    """Mark each epoch of a network within the block, up to LOOK seconds late: training does nothing for it."""
    over, marked = threading.Event(), 0

    def watch() -> None:
        nonlocal marked
        while not over.wait(LOOK):
            done = len(forecaster.curve.get("loss", ()))
            with contextlib.suppress(OSError):  # the harness may be gone
                channels.mark(EPOCH, done - marked)
            marked = done

    if not isinstance(forecaster, NetworkForecaster):
        yield
        return
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def fit(forecaster: Forecaster, given: Handout, clock: Clock, order: Order) -> tuple[Forecaster, dict[str, float]]:
    """Fit under watch, and take the time apart as far as the method did; returns what was seen of the machine, too."""
    watch = disturbance.Watch()
    with clock.phase("fit"):
        forecaster = packs.fit(forecaster, given, order)
    seen = watch.observe()
    for name in ("build", "first_step", "validate"):
        part = float(forecaster.seconds.get(name, 0.0))
        clock.add(name, part)
        clock.add("fit", -part)  # what is left is fit, so that the phases always add up to the whole
    return forecaster, seen


def predict(
    forecaster: Forecaster,
    given: Handout,
    ahead: int,
    clock: Clock,
    channels: Channels,
    made: dict[str, np.ndarray],
    slow_repeats: int,
) -> list[float]:
    """Forecast the validation series again and again: keep the first forecasts, return the seconds of each repeat.

    slow_repeats: how often in all where the first one takes seconds.
    """
    history = given.validation_history
    with clock.phase("predict_first"):
        forecasts = forecast(forecaster, given, "validation", ahead)
    channels.mark(FORECAST)
    shape = (len(history), ahead, given.future.shape[2])
    made["forecasts"] = check_array(forecasts, shape, "forecasts").copy()  # to keep
    check_size(made["forecasts"], history, "forecasts")
    first = clock.seconds["predict_first"]
    samples = [first] if first > SLOW else []
    while len(samples) < (slow_repeats if first > SLOW else REPEATS):
        start = perf_counter_ns()
        forecast(forecaster, given, "validation", ahead)
        samples.append((perf_counter_ns() - start) / 1e9)
    channels.mark(REPEATED)
    clock.seconds["predict"] = float(np.median(samples))
    return samples


def forecast(forecaster: Forecaster, given: Handout, part: Literal["validation", "test"], ahead: int) -> np.ndarray:
    """Forecast a part [N, H, D]: from windows, or from whole series where the task and the method say so."""
    whole = given.whole
    if whole.suits(forecaster):
        return whole.forecast(forecaster, whole.validation if part == "validation" else whole.test, ahead)
    return answer(forecaster, given.validation_history if part == "validation" else given.test_history, ahead)


def add_outputs(forecaster: Forecaster, given: Handout, ahead: int, made: dict[str, np.ndarray], bounded: bool) -> None:
    """Add all that the method is trained to output on the validation series, and the forecasts of the test series.

    bounded: whether to add bounds of the latter, of a method that has intervals.
    """
    if (places := target_places(forecaster, given, ahead)) is not None:
        future = np.zeros((len(given.validation_history), ahead, given.future.shape[2]), np.float32)
        outputs, _ = forecaster.outputs(given.validation_history, future)
        shape = (len(future), *places.shape)
        made |= {"outputs": check_array(outputs, shape, "outputs").copy(), "places": places}  # to keep
    history = given.test_history
    shape = (len(history), ahead, given.future.shape[2])
    windows = not given.whole.suits(forecaster)
    if bounded and windows and isinstance(forecaster, RowForecaster) and forecaster.has_intervals:
        test, *bounds = forecaster.predict_intervals(history, ahead, LEVEL)
        made |= {name: check_array(part, shape, f"{name} bounds") for name, part in zip(BOUNDS, bounds, strict=True)}
    else:
        test = forecast(forecaster, given, "test", ahead)
    made["test"] = check_array(test, shape, "test forecasts")


def target_places(forecaster: Forecaster, given: Handout, ahead: int) -> np.ndarray | None:
    """Return which values of a series [T + H, D] the outputs are compared with, [T', block * D]; None: the forecasts
    alone.

    A strategy takes its targets from a series: it is given the numbers of the values in place of the values.
    """
    if not isinstance(forecaster, NetworkForecaster) or not forecaster.at_every_step:
        return None
    strategy = forecaster.strategy
    steps, channels = given.validation_history.shape[1:]
    numbers = np.arange((steps + ahead) * channels).reshape(1, steps + ahead, channels)
    horizon = min(ahead, given.future.shape[1])
    places: np.ndarray = strategy.targets(numbers[:, :steps], numbers[:, steps:][:, :horizon])[0]
    return places


def epoch_seconds(forecaster: Forecaster) -> list[float]:
    """Return the seconds of each epoch, from the curve's running total."""
    return [float(value) for value in np.diff(forecaster.curve.get("seconds", []), prepend=0.0)]
