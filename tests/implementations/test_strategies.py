"""What networks are trained to output, and how forecasts go on, against plain loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from implementations.strategies import MultiOutput, Recursive, SequenceToSequence, roll_out


def windows(series: int, steps: int, horizon: int, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """History and future in which no two values are equal."""
    values = np.arange(series * (steps + horizon) * channels, dtype=np.float32)
    whole = values.reshape(series, steps + horizon, channels)
    return whole[:, :steps], whole[:, steps:]


def at_every_step(history: np.ndarray, future: np.ndarray, block: int, made_at: list[int]) -> np.ndarray:
    """The targets of SequenceToSequence, value by value."""
    whole = np.concatenate([history, future], axis=1)
    series, _, channels = history.shape
    targets = np.full((series, len(made_at), block * channels), np.nan, np.float32)
    for n in range(series):
        for place, t in enumerate(made_at):
            for ahead in range(block):
                for d in range(channels):
                    targets[n, place, ahead * channels + d] = whole[n, t + 1 + ahead, d]
    return targets


@pytest.mark.parametrize("growing", [False, True])
def test_recursive_learns_the_next_step(growing: bool) -> None:
    history, future = windows(3, 5, 4, 2)
    strategy = Recursive(growing=growing)
    assert strategy.block(4) == 1 and strategy.growing == growing and not strategy.every_step
    assert_array_equal(strategy.targets(history, future), future[:, 0, :])


def test_multi_output_learns_the_whole_horizon() -> None:
    history, future = windows(2, 5, 3, 2)
    targets = MultiOutput().targets(history, future)
    assert MultiOutput().block(3) == 3 and targets.shape == (2, 6)
    assert_array_equal(targets[1], [future[1, 0, 0], future[1, 0, 1], future[1, 1, 0], *future[1, 1:, :].flat[1:]])


@pytest.mark.parametrize(
    ("steps", "made_at"),
    [(10, [3, 5, 7, 9]), (11, [4, 6, 8, 10]), (4, [3]), (5, [4])],
    ids=["even", "odd", "shortest", "shortest odd"],
)
def test_strided_sequences_end_at_the_newest_step(steps: int, made_at: list[int]) -> None:
    history, future = windows(2, steps, 3, 2)
    got = SequenceToSequence(first=3, every=2).targets(history, future)
    assert_array_equal(got, at_every_step(history, future, 3, made_at))


@settings(max_examples=60, deadline=None)
@given(
    series=st.integers(1, 3),
    steps=st.integers(1, 9),
    horizon=st.integers(1, 5),
    channels=st.integers(1, 3),
    first=st.integers(0, 4),
    every=st.integers(1, 3),
    longest=st.none() | st.integers(1, 6),
)
def test_sequences_learn_what_follows(
    series: int, steps: int, horizon: int, channels: int, first: int, every: int, longest: int | None
) -> None:
    history, future = windows(series, steps, horizon, channels)
    strategy = SequenceToSequence(first=first, every=every, longest=longest)
    block = min(horizon, longest or horizon)
    if steps <= first:
        with pytest.raises(ValueError, match=f"history: got {steps} steps, needed at least {first + 1}"):
            strategy.targets(history, future)
        return
    made_at = [t for t in range(first, steps) if (steps - 1 - t) % every == 0]
    assert strategy.block(horizon) == block
    assert_array_equal(strategy.targets(history, future), at_every_step(history, future, block, made_at))


@given(steps=st.integers(1, 12), length=st.integers(1, 5), block=st.integers(1, 4), channels=st.integers(1, 2))
@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("growing", [False, True])
def test_roll_out_feeds_blocks_back(growing: bool, steps: int, length: int, block: int, channels: int) -> None:
    """The toy forecast is the window's sum and length, so that every value depends on what the window was."""
    history = windows(2, length, 1, channels)[0].astype(np.float64) / 100
    seen: list[int] = []

    def forecast(window: np.ndarray) -> np.ndarray:
        seen.append(window.shape[1])
        return np.stack([window.sum(axis=1) / (ahead + 1) + window.shape[1] for ahead in range(block)], axis=1)

    before = history.copy()
    got = roll_out(forecast, history, steps, growing)
    calls = -(-steps // block)
    assert got.shape == (2, steps, channels)
    assert seen == ([length + call * block for call in range(calls)] if growing else [length] * calls)
    assert_array_equal(got, by_hand(before, steps, length, block, growing))
    assert_array_equal(history, before)


def by_hand(history: np.ndarray, steps: int, length: int, block: int, growing: bool) -> np.ndarray:
    """The same roll-out over one growing array, of which a sliding window sees the end."""
    known = history
    while known.shape[1] < length + steps:
        window = known if growing else known[:, known.shape[1] - length :]
        for ahead in range(block):
            value = window.sum(axis=1) / (ahead + 1) + window.shape[1]
            known = np.concatenate([known, value[:, None]], axis=1)
    return known[:, length : length + steps]
