"""Does a method keep the contract of `implementations.forecaster`? One function per promise.

    python -m bench.conformance BACKEND [METHOD ...]

prints a line of JSON per method, {"method", "backend", "broken": {promise: what was got and expected}}, and ends with
status 1 when anything is broken. `check` does the same for any class that makes a Forecaster.

Everything is shared where it can be: three small fits per method, since compiling them is what takes the time.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np

from bench.errors import UsageError, unknown
from implementations import METHODS, backends, backends_of, default_settings, load, make
from implementations.forecaster import Forecaster, NetworkForecaster, Setting

Maker = Callable[[int], Forecaster]  # seed -> a fresh forecaster
Loader = Callable[[Path], Forecaster]

SERIES, STEPS, HORIZON, CHANNELS, WATCHED = 40, 14, 3, 2, 6
SEED, OTHER_SEED = 1, 2
EPOCHS = 2
LONG = 2 * HORIZON + 1  # steps: beyond the trained horizon, and no multiple of it
ROUNDING = 1e-5  # how far two forecasts may differ that are the same but for the order of sums


class Broken(AssertionError):
    """A promise is not kept: the message says what was got and what was expected."""


@dataclass
class Subject:
    """A method under test, the data, and the fits that the checks share."""

    make: Maker
    load: Loader
    touched: list[str] = field(default_factory=list)  # which inputs a fit has changed

    @cached_property
    def windows(self) -> tuple[np.ndarray, np.ndarray]:
        """History [N, T, D] and future [N, H, D], float32: noisy sines, which a network can learn a little of."""
        random = np.random.default_rng(0)
        time = np.arange(STEPS + HORIZON)[None, :, None]
        frequency, phase = random.uniform(0.3, 0.9, (2, SERIES, 1, CHANNELS))
        noise = random.uniform(-0.1, 0.1, (SERIES, STEPS + HORIZON, CHANNELS))
        series = (0.6 * np.sin(frequency * time + 7 * phase) + noise).astype(np.float32)
        return series[:, :STEPS].copy(), series[:, STEPS:].copy()

    @property
    def history(self) -> np.ndarray:
        """The history of a few series, [WATCHED, T, D]: a copy, so that a check may change it."""
        return self.windows[0][:WATCHED].copy()

    @property
    def future(self) -> np.ndarray:
        """The future of the same series, [WATCHED, H, D]."""
        return self.windows[1][:WATCHED].copy()

    @cached_property
    def fitted(self) -> Forecaster:
        return self._fit(SEED)

    @cached_property
    def fitted_again(self) -> Forecaster:
        return self._fit(SEED)

    @cached_property
    def fitted_otherwise(self) -> Forecaster:
        return self._fit(OTHER_SEED)

    @cached_property
    def forecasts(self) -> np.ndarray:
        """The forecasts [WATCHED, LONG, D] of the first fit."""
        return self.fitted.predict_ahead(self.history, LONG)

    def _fit(self, seed: int) -> Forecaster:
        history, future = (array.copy() for array in self.windows)
        watched = self.history, self.future
        forecaster = self.make(seed)
        forecaster.fit(history, future, watched)
        given = {"history": history, "future": future, "validation history": watched[0], "validation future": watched[1]}
        originals = (*self.windows, self.history, self.future)
        pairs = zip(given.items(), originals, strict=True)
        self.touched += [name for (name, array), original in pairs if not np.array_equal(array, original)]
        return forecaster


def check(make: Maker, load: Loader | None = None) -> dict[str, str]:
    """What is broken: promise -> what was got and expected. Empty for a method that keeps the contract.

    make: seed -> a fresh forecaster of two channels and, if it trains by epochs, of a few of them; load: reads what its
    `save` wrote; unless given, a forecaster that `make` makes takes it back by `restore`.
    """
    subject = Subject(make, load or partial(_restored, make))
    if failure := _failure(lambda _: subject.fitted, subject):
        return {"fits": failure}
    failures = {promise: _failure(keeps, subject) for promise, keeps in PROMISES.items()}
    return {promise: failure for promise, failure in failures.items() if failure}


def any_number_of_steps(subject: Subject) -> None:
    """Forecasts are finite float32 [N, steps, D], however many steps, also beyond the trained horizon."""
    for steps in (1, HORIZON, LONG):
        got = subject.fitted.predict_ahead(subject.history, steps)
        _expect(isinstance(got, np.ndarray), f"steps={steps}: got {type(got).__name__}, expected a NumPy array")
        shape = (WATCHED, steps, CHANNELS)
        _expect(got.shape == shape, f"steps={steps}: got shape {got.shape}, expected {shape}")
        _expect(got.dtype == np.float32, f"steps={steps}: got {got.dtype}, expected float32")
        _expect(bool(np.isfinite(got).all()), f"steps={steps}: got NaN or infinite forecasts, expected finite ones")


def longer_forecasts_begin_as_shorter(subject: Subject) -> None:
    """Asking for more steps changes none of the first ones."""
    for steps in (1, HORIZON):
        got = subject.fitted.predict_ahead(subject.history, steps)
        _expect_close(got, subject.forecasts[:, :steps], f"the first {steps} of {LONG} steps")


def inputs_untouched(subject: Subject) -> None:
    """Neither fit nor predict_ahead writes to an array that it is given."""
    _expect(not subject.touched, f"fit changed {', '.join(subject.touched)}, expected to leave it as it is")
    history = subject.history
    history.flags.writeable = False
    subject.fitted.predict_ahead(history, LONG)
    _expect(np.array_equal(history, subject.history), "predict_ahead changed history, expected to leave it as it is")


def same_seed_same_forecasts(subject: Subject) -> None:
    """A second fit with the same seed gives the same forecasts, bit for bit."""
    again = subject.fitted_again.predict_ahead(subject.history, LONG)
    _expect_equal(again, subject.forecasts, "two fits of one seed")


def another_seed_other_forecasts(subject: Subject) -> None:
    """A fit with another seed gives other forecasts; methods that learn in no epochs may do without chance."""
    if subject.fitted.curve:
        other = subject.fitted_otherwise.predict_ahead(subject.history, LONG)
        _expect(not np.array_equal(other, subject.forecasts), f"seeds {SEED} and {OTHER_SEED} forecast the same")


def loads_what_it_saved(subject: Subject) -> None:
    """A forecaster that was saved and loaded has the same weights and gives the same forecasts, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        subject.fitted.save(Path(folder))
        loaded = subject.load(Path(folder))
    _expect_equal(loaded.predict_ahead(subject.history, LONG), subject.forecasts, "before saving and after loading")
    pairs = zip(loaded.weights(), subject.fitted.weights(), strict=True)
    _expect(all(np.array_equal(got, saved) for got, saved in pairs), "other weights after loading")


def outputs_are_the_forecasts(subject: Subject) -> None:
    """`outputs` gives outputs and truth of one shape, of which the newest are the forecast and the future."""
    got, truth = subject.fitted.outputs(subject.history, subject.future)
    _expect(got.shape == truth.shape, f"got outputs {got.shape} and truth {truth.shape}, expected one shape")
    if _every_step(got):
        got, truth = (array[:, -1].reshape(WATCHED, -1, CHANNELS) for array in (got, truth))
    block = got.shape[1]
    _expect_close(got, subject.forecasts[:, :block], "outputs of the last step and forecasts")
    _expect_equal(truth, subject.future[:, :block], "truth of the last step and the future")


def no_look_at_the_future(subject: Subject) -> None:
    """No output made at a step depends on a value after it."""
    history, future = subject.history, subject.future
    outputs, truth = subject.fitted.outputs(history, future)
    _expect_close(subject.fitted.outputs(history, future + 1)[0], outputs, "outputs after the future was changed")
    if not _every_step(outputs):
        return
    made_at = _steps_of(truth, history, future)
    for newest in made_at[len(made_at) // 3], made_at[-2]:
        changed = history.copy()
        changed[:, newest + 1 :] += 0.5
        got = subject.fitted.outputs(changed, future)[0]
        known = made_at <= newest
        _expect_close(got[:, known], outputs[:, known], f"outputs up to step {newest} after later steps were changed")
        for step, old, new in zip(made_at[~known], outputs[:, ~known].swapaxes(0, 1), got[:, ~known].swapaxes(0, 1)):
            _expect(not np.array_equal(old, new), f"the output of step {step} ignores what changed after step {newest}")


def alone_as_in_company(subject: Subject) -> None:
    """A series is forecast alone as in a batch."""
    alone = subject.fitted.predict_ahead(subject.history[2:3], HORIZON)
    _expect_close(alone, subject.forecasts[2:3, :HORIZON], "a series alone and in a batch", ROUNDING)


def bad_input_is_named(subject: Subject) -> None:
    """Bad windows and steps raise a ValueError that says what was got."""
    fitted, history, future = subject.fitted, subject.history, subject.future
    broken = np.where(np.arange(STEPS)[:, None] == 3, np.float32(np.nan), history)
    ahead = partial(fitted.predict_ahead, steps=HORIZON)
    _expect_refusal(lambda: ahead(history[:, :, 0]), str((WATCHED, STEPS)), "a history of two dimensions")
    _expect_refusal(lambda: ahead(history[:, :0]), str((WATCHED, 0, CHANNELS)), "a history of no steps")
    _expect_refusal(lambda: ahead(broken), "NaN", "NaN in the history")
    _expect_refusal(lambda: fitted.predict_ahead(history, 0), "0", "no steps ahead")
    _expect_refusal(lambda: subject.make(SEED).fit(history, future * np.nan), "NaN", "NaN in the future")
    _expect_refusal(lambda: subject.make(SEED).fit(history, future[1:]), str(future[1:].shape), "a future too few")
    if isinstance(fitted, NetworkForecaster):
        _expect_refusal(lambda: ahead(history[:, 1:]), f"{STEPS - 1} steps", "a history one step too short")
        _expect_refusal(lambda: ahead(history[:, :, :1]), "1 channels", "a channel too few")


def curve_has_every_epoch(subject: Subject) -> None:
    """The learning curve has a finite entry per epoch, its seconds rise; methods without epochs have none."""
    epochs, curve = getattr(subject.fitted, "epochs", 0), subject.fitted.curve
    wanted = ("loss", "val_loss", "val_last_step_mse", "seconds") if epochs else ()
    for name in wanted:
        got = curve.get(name, [])
        _expect(len(got) == epochs, f"{name}: got {len(got)} entries, expected {epochs}, one per epoch")
        _expect(bool(np.isfinite(got).all()), f"{name}: got {got}, expected finite numbers")
    seconds = curve.get("seconds", [])
    _expect(seconds == sorted(seconds), f"seconds: got {seconds}, expected them to rise")


PROMISES: dict[str, Callable[[Subject], None]] = {
    one.__name__: one
    for one in (
        any_number_of_steps,
        longer_forecasts_begin_as_shorter,
        inputs_untouched,
        same_seed_same_forecasts,
        another_seed_other_forecasts,
        loads_what_it_saved,
        outputs_are_the_forecasts,
        no_look_at_the_future,
        alone_as_in_company,
        bad_input_is_named,
        curve_has_every_epoch,
    )
}


def _failure(keeps: Callable[[Subject], object], subject: Subject) -> str | None:
    """Why the promise is not kept; None when it is. A method may raise anything."""
    try:
        keeps(subject)
    except Broken as broken:
        return str(broken)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _restored(make: Maker, folder: Path) -> Forecaster:
    saved = json.loads((folder / "forecaster.json").read_text(encoding="utf-8"))
    forecaster = make(saved["seed"])
    forecaster.restore(saved["state"], folder)
    return forecaster


def _every_step(outputs: np.ndarray) -> bool:
    """Whether the outputs are a forecast for every step, [N, T', H * D], rather than one forecast [N, H, D]."""
    return outputs.shape[1:] != (HORIZON, CHANNELS)


def _steps_of(truth: np.ndarray, history: np.ndarray, future: np.ndarray) -> np.ndarray:
    """At which history steps the outputs [T'] are made: those after which the series goes on as their truth begins."""
    following = np.concatenate([history, future], axis=1)[:, 1 : STEPS + 1]
    same = (truth[:, :, None, :CHANNELS] == following[:, None]).all(axis=(0, 3))  # [T', T]
    _expect(bool((same.sum(axis=1) == 1).all()), "the truth of an output is not what follows one of the history steps")
    return same.argmax(axis=1)


def _expect(kept: bool, message: str) -> None:
    if not kept:
        raise Broken(message)


def _expect_equal(got: np.ndarray, expected: np.ndarray, what: str) -> None:
    _expect_close(got, expected, what, 0)


def _expect_close(got: np.ndarray, expected: np.ndarray, what: str, tolerance: float = 1e-6) -> None:
    _expect(got.shape == expected.shape, f"{what}: got shape {got.shape}, expected {expected.shape}")
    furthest = float(np.abs(got.astype(np.float64) - expected).max())
    _expect(furthest <= tolerance, f"{what}: got a difference of {furthest:.3g}, expected at most {tolerance:g}")


def _expect_refusal(call: Callable[[], object], named: str, what: str) -> None:
    try:
        call()
    except ValueError as error:
        _expect(named in str(error), f"{what}: got the message {str(error)!r}, expected it to name {named!r}")
    else:
        raise Broken(f"{what}: got no ValueError, expected one that names {named!r}")


def check_methods(backend: str, names: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Each method of METHODS with what is broken in it on the backend."""
    backends.load(backend)
    for name in names:
        shorter: dict[str, Setting] = {"epochs": EPOCHS} if "epochs" in default_settings(name) else {}
        yield name, check(lambda seed, name=name, shorter=shorter: make(name, backend, seed, **shorter), load)


def chosen(backend: str, names: list[str]) -> list[str]:
    """The methods to be checked: those named, or all of the backend. Raises UsageError for what does not exist."""
    if backend not in backends.BACKENDS:
        raise unknown("backend", backend, backends.BACKENDS)
    available = [name for name in METHODS if backend in backends_of(name)]
    for name in names:
        if name not in available:
            raise unknown(f"method of {backend}", name, available)
    return names or available


def main(arguments: list[str]) -> int:
    """Check the methods and print a line of JSON for each; the exit status is 1 when anything is broken."""
    if not arguments:
        print(f"usage: python -m bench.conformance {'|'.join(backends.BACKENDS)} [METHOD ...]", file=sys.stderr)
        return 2
    backend, *names = arguments
    try:
        names = chosen(backend, names)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as programs:
        compile_quickly(programs)
        for name, broken in check_methods(backend, names):
            failed = failed or bool(broken)
            print(json.dumps({"method": name, "backend": backend, "broken": broken}), flush=True)
    return int(failed)


def compile_quickly(programs: str) -> None:
    """Have XLA spend little on programs that run for milliseconds, and JAX keep them in a folder. Read at their import."""
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()
    os.environ |= {"JAX_COMPILATION_CACHE_DIR": programs, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
