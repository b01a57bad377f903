"""The promises of `implementations.forecaster`, one function each: it raises Broken when a method does not keep one.

Everything is shared where it can be: three small fits per method, since compiling them is what takes the time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np

from bench import metrics
from bench.contract.subject import (
    CHANNELS,
    HORIZON,
    LONG,
    OTHER_SEED,
    ROUNDING,
    SEED,
    SERIES,
    STEPS,
    WATCHED,
    Subject,
    expect,
    expect_close,
    expect_refusal,
)
from implementations.forecaster import answer
from implementations.kinds import CLASSIFY, FORECAST
from implementations.network import NetworkForecaster

#: what a method could replace to be measured otherwise, as it was before any method ran
ORIGINALS = {
    (module, name): value
    for module in (time, metrics, np)
    for name, value in vars(module).items()
    if callable(value) and not name.startswith("_")
}


def any_number_of_steps(subject: Subject) -> None:
    """Forecasts are finite float32 [N, steps, D], however many steps, also beyond the trained horizon."""
    for steps in (1, HORIZON, LONG):
        got = subject.fitted.predict_ahead(subject.history, steps)
        expect(isinstance(got, np.ndarray), f"steps={steps}: got {type(got).__name__}, expected a NumPy array")
        shape = (WATCHED, steps, CHANNELS)
        expect(got.shape == shape, f"steps={steps}: got shape {got.shape}, expected {shape}")
        expect(got.dtype == np.float32, f"steps={steps}: got {got.dtype}, expected float32")
        expect(bool(np.isfinite(got).all()), f"steps={steps}: got NaN or infinite forecasts, expected finite ones")


def longer_forecasts_begin_as_shorter(subject: Subject) -> None:
    """Asking for more steps changes none of the first ones."""
    for steps in (1, HORIZON):
        got = subject.fitted.predict_ahead(subject.history, steps)
        expect_close(got, subject.forecasts[:, :steps], f"the first {steps} of {LONG} steps")


def inputs_untouched(subject: Subject) -> None:
    """Neither fit nor predict_ahead writes to an array that it is given."""
    expect(not subject.touched, f"fit changed {', '.join(subject.touched)}, expected to leave it as it is")
    history = subject.history
    history.flags.writeable = False
    subject.fitted.predict_ahead(history, LONG)
    expect(np.array_equal(history, subject.history), "predict_ahead changed history, expected to leave it as it is")


def same_seed_same_forecasts(subject: Subject) -> None:
    """A second fit with the same seed gives the same forecasts, bit for bit."""
    again = subject.fitted_again.predict_ahead(subject.history, LONG)
    if not np.array_equal(again, subject.forecasts):  # the other series that it watched may be to blame
        again = subject.fitted_a_third_time.predict_ahead(subject.history, LONG)
    expect_close(again, subject.forecasts, "two fits of one seed", 0)


def validation_is_watched_alone(subject: Subject) -> None:
    """What fit is given to watch changes no forecast: nothing is trained on it or chosen by it."""
    again = subject.fitted_again.predict_ahead(subject.history, LONG)
    if not np.array_equal(again, subject.forecasts):
        third = subject.fitted_a_third_time.predict_ahead(subject.history, LONG)
        if np.array_equal(third, subject.forecasts):
            expect_close(again, subject.forecasts, "fits that watched different series", 0)


def forecasts_stay_as_they_were(subject: Subject) -> None:
    """Forecasts are in a new array: the next call does not write into it."""
    first = subject.fitted.predict_ahead(subject.history, HORIZON)
    before = first.copy()
    subject.fitted.predict_ahead(subject.history + 1, HORIZON)
    expect(np.array_equal(first, before), "the next predict_ahead changed the forecasts of the last one")


def program_stays_as_it_was(_subject: Subject) -> None:
    """Clocks, NumPy's functions and this program's metrics are not replaced."""
    changed = [
        f"{module.__name__}.{name}" for (module, name), was in ORIGINALS.items() if getattr(module, name) is not was
    ]
    expect(not changed, f"got another {', '.join(changed[:3])}, expected it to be left as it was")


def another_seed_other_forecasts(subject: Subject) -> None:
    """A fit with another seed gives other forecasts; methods that learn in no epochs may do without chance."""
    if subject.fitted.curve:
        with subject.uncompiled():
            other = subject.fitted_otherwise.predict_ahead(subject.history, LONG)
        rounding = 0.0 if subject.uncompiled is nullcontext else ROUNDING
        same = np.array_equal(other, subject.forecasts) or np.allclose(other, subject.forecasts, 0, rounding)
        expect(not same, f"seeds {SEED} and {OTHER_SEED} forecast the same")


def loads_what_it_saved(subject: Subject) -> None:
    """A forecaster that was saved and loaded has the same weights and gives the same forecasts, bit for bit."""
    with tempfile.TemporaryDirectory() as folder:
        subject.fitted.save(Path(folder))
        loaded = subject.load(Path(folder))
    expect_close(loaded.predict_ahead(subject.history, LONG), subject.forecasts, "before saving and after loading", 0)
    pairs = zip(loaded.weights(), subject.fitted.weights(), strict=True)
    expect(all(np.array_equal(got, saved) for got, saved in pairs), "other weights after loading")


def outputs_are_the_forecasts(subject: Subject) -> None:
    """`outputs` gives outputs and truth of one shape, of which the newest are the forecast and the future."""
    got, truth = subject.fitted.outputs(subject.history, subject.future)
    expect(got.shape == truth.shape, f"got outputs {got.shape} and truth {truth.shape}, expected one shape")
    if _every_step(got):
        got, truth = (array[:, -1].reshape(WATCHED, -1, CHANNELS) for array in (got, truth))
    block = got.shape[1]
    expect_close(got, subject.forecasts[:, :block], "outputs of the last step and forecasts")
    expect_close(truth, subject.future[:, :block], "truth of the last step and the future", 0)


def no_look_at_the_future(subject: Subject) -> None:
    """No output made at a step depends on a value after it."""
    history, future = subject.history, subject.future
    outputs, truth = subject.fitted.outputs(history, future)
    expect_close(subject.fitted.outputs(history, future + 1)[0], outputs, "outputs after the future was changed")
    if not _every_step(outputs):
        return
    made_at = _steps_of(truth, history, future)
    for newest in made_at[len(made_at) // 3], made_at[-2]:
        changed = history.copy()
        changed[:, newest + 1 :] += 0.5
        got = subject.fitted.outputs(changed, future)[0]
        known = made_at <= newest
        expect_close(got[:, known], outputs[:, known], f"outputs up to step {newest} after later steps were changed")
        for place in np.flatnonzero(~known):
            other = not np.array_equal(got[:, place], outputs[:, place])
            expect(other, f"the output of step {made_at[place]} ignores what changed after step {newest}")


def alone_as_in_company(subject: Subject) -> None:
    """A series is forecast alone as in a batch."""
    alone = subject.fitted.predict_ahead(subject.history[2:3], LONG)
    expect_close(alone, subject.forecasts[2:3], "a series alone and in a batch", ROUNDING)


def bad_input_is_named(subject: Subject) -> None:
    """Bad windows and steps raise a ValueError that says what was got."""
    fitted, history, future = subject.fitted, subject.history, subject.future
    broken = np.where(np.arange(STEPS)[:, None] == 3, np.float32(np.nan), history)
    ahead = partial(fitted.predict_ahead, steps=HORIZON)
    expect_refusal(lambda: ahead(history[:, :, 0]), str((WATCHED, STEPS)), "a history of two dimensions")
    expect_refusal(lambda: ahead(history[:, :0]), str((WATCHED, 0, CHANNELS)), "a history of no steps")
    expect_refusal(lambda: ahead(broken), "NaN", "NaN in the history")
    expect_refusal(lambda: fitted.predict_ahead(history, 0), "0", "no steps ahead")
    expect_refusal(lambda: subject.make(SEED).fit(history, future * np.nan), "NaN", "NaN in the future")
    expect_refusal(lambda: subject.make(SEED).fit(history, future[1:]), str(future[1:].shape), "a future too few")
    if isinstance(fitted, NetworkForecaster):
        expect_refusal(lambda: ahead(history[:, 1:]), f"{STEPS - 1} steps", "a history one step too short")
        expect_refusal(lambda: ahead(history[:, :, :1]), "1 channels", "a channel too few")


def curve_has_every_epoch(subject: Subject) -> None:
    """The learning curve has a finite entry per epoch, its seconds rise; methods without epochs have none."""
    epochs, curve = getattr(subject.fitted, "epochs", 0), subject.fitted.curve
    wanted = ("loss", "val_loss", "val_last_step_mse", "seconds") if epochs else ()
    for name in wanted:
        got = curve.get(name, [])
        expect(len(got) == epochs, f"{name}: got {len(got)} entries, expected {epochs}, one per epoch")
        expect(bool(np.isfinite(got).all()), f"{name}: got {got}, expected finite numbers")
    seconds = curve.get("seconds", [])
    expect(seconds == sorted(seconds), f"seconds: got {seconds}, expected them to rise")


def answers_every_kind(subject: Subject) -> None:
    """Each further kind of question that it claims to answer it does: probabilities of classes, hidden steps."""
    history, asks = subject.windows[0][:, :, :1], subject.asks
    if asks is None:
        return
    for kind in sorted(set(subject.kinds) - {FORECAST}):
        known, asked = question(history, kind)
        got = answer(asks(kind).fit(known, asked, (known[:WATCHED], asked[:WATCHED])), known, asked.shape[1])
        expect(isinstance(got, np.ndarray), f"to {kind}: got {type(got).__name__}, expected a NumPy array")
        shaped = got.shape == asked.shape and got.dtype == np.float32
        expect(shaped, f"to {kind}: got {got.dtype} {got.shape}, expected float32 {asked.shape}")
        expect(bool(np.isfinite(got).all()), f"to {kind}: got NaN or infinite numbers, expected finite ones")
        if kind == CLASSIFY:
            expect_close(got.sum(axis=1), np.ones((SERIES, 1)), "the sum of probabilities and 1", 1e-3)
            expect(bool((got >= 0).all()), f"to {kind}: got {got.min():.3g}, expected probabilities of at least 0")


def question(history: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what is known and what is asked: whether a series ends higher than it begins, or three steps inside."""
    if kind == CLASSIFY:
        rises = (history[:, -1, 0] > history[:, 0, 0]).astype(int)
        return history.copy(), np.eye(2, dtype=np.float32)[rises][:, :, None]
    known = history.copy()
    known[:, 4:7] = np.nan
    return known, history[:, 4:7].copy()


PROMISES: dict[str, Callable[[Subject], None]] = {
    one.__name__: one
    for one in (
        any_number_of_steps,
        longer_forecasts_begin_as_shorter,
        inputs_untouched,
        same_seed_same_forecasts,
        validation_is_watched_alone,
        forecasts_stay_as_they_were,
        another_seed_other_forecasts,
        loads_what_it_saved,
        outputs_are_the_forecasts,
        no_look_at_the_future,
        alone_as_in_company,
        answers_every_kind,
        bad_input_is_named,
        curve_has_every_epoch,
        program_stays_as_it_was,
    )
}


def _every_step(outputs: np.ndarray) -> bool:
    """Return whether the outputs are a forecast for every step, [N, T', H * D], rather than one forecast [N, H, D]."""
    return outputs.shape[1:] != (HORIZON, CHANNELS)


def _steps_of(truth: np.ndarray, history: np.ndarray, future: np.ndarray) -> np.ndarray:
    """At which history steps the outputs [T'] are made: those after which the series goes on as their truth begins."""
    following = np.concatenate([history, future], axis=1)[:, 1 : STEPS + 1]
    same = (truth[:, :, None, :CHANNELS] == following[:, None]).all(axis=(0, 3))  # [T', T]
    expect(bool((same.sum(axis=1) == 1).all()), "the truth of an output is not what follows one of the history steps")
    return np.asarray(same.argmax(axis=1))
