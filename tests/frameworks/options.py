"""Training options against plain NumPy, on the backend named on the command line: nine steps of a linear network."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from implementations import backends, load, make
from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence

SERIES, STEPS, HORIZON, CHANNELS = 70, 6, 2, 2
BATCH, EPOCHS = 32, 3  # three batches in an epoch, the last of 6 series
SEED, RATE = 5, 0.05


def warm_up_and_cosine() -> None:
    _compare(schedule="cosine", warmup=0.3)


def warm_up_of_a_constant_rate() -> None:
    _compare(warmup=0.5)


def cosine_and_adam() -> None:
    _compare(optimizer="adam", schedule="cosine")


def adamw() -> None:
    _compare(optimizer="adamw", weight_decay=0.5, schedule="cosine")


def stochastic_weight_averaging() -> None:
    _compare(averaging="swa", averaging_share=0.5)


def exponential_moving_average() -> None:
    _compare(averaging="ema", averaging_share=0.8, averaging_decay=0.7)


def noise() -> None:
    _compare(noise=0.3)


def flip_and_reverse() -> None:
    _compare(flip=True, reverse=True)


def shift() -> None:
    _compare(shift=2, noise=0.1)


def all_at_once() -> None:
    _compare(
        optimizer="adamw", weight_decay=0.1, schedule="cosine", warmup=0.2, averaging="swa", noise=0.1, shift=1,
        flip=True, clip_norm=0.5,
    )  # fmt: skip


def watching_changes_nothing() -> None:
    """Averages take the weights' place after each epoch, and have to give it back."""
    history, future = _windows()
    watched = _made(averaging="ema").fit(history, future, (history, future))
    plain = _made(averaging="ema").fit(history, future)
    for got, expected in zip(watched.weights(), plain.weights(), strict=True):
        assert_array_equal(got, expected)


def members_are_networks_of_their_own() -> None:
    """The mean of two forecasts, of which the first is that of the run without the others; saved and loaded."""
    history, future = _windows()
    for method in ("linear", "deep_rnn_growing"):
        team: Any = make(method, _backend(), SEED, members=2, epochs=1).fit(history, future, (history, future))
        alone: Any = make(method, _backend(), SEED, epochs=1).fit(history, future)
        apart = [predict(history) for predict in map(backends.load(_backend()).predictor, team.networks)]
        assert_array_equal(apart[0], alone._predict(history))
        assert np.abs(apart[0] - apart[1]).max() > 1e-3
        assert_allclose(team._predict(history), np.mean(apart, axis=0), atol=1e-6)
        assert team.parameters() == 2 * alone.parameters()
        with tempfile.TemporaryDirectory() as folder:
            team.save(Path(folder))
            assert_array_equal(load(Path(folder)).predict_ahead(history, 5), team.predict_ahead(history, 5))


def heads_are_last_layers_of_their_own() -> None:
    """Each head forecasts for itself, from weights of its own; the mean counts, also where a state is carried on."""
    history, future = _windows()
    for method in ("dlinear", "deep_rnn_growing"):
        many: Any = make(method, _backend(), SEED, output_heads=3, epochs=2).fit(history, future, (history, future))
        outputs = backends.load(_backend()).predictor(many.network)(history)
        heads = np.split(outputs, 3, axis=-1)
        assert np.abs(heads[0] - heads[1]).max() > 1e-3 and np.abs(heads[1] - heads[2]).max() > 1e-3
        assert_allclose(many._predict(history), np.mean(heads, axis=0), atol=1e-6)
        assert many.predict_ahead(history, 7).shape == (SERIES, 7, CHANNELS)
        assert many.curve["loss"][1] < many.curve["loss"][0]
        with tempfile.TemporaryDirectory() as folder:
            many.save(Path(folder))
            assert_array_equal(load(Path(folder)).predict_ahead(history, 5), many.predict_ahead(history, 5))


def a_holdout_is_not_trained_on_and_ends_training() -> None:
    """Noise is not learnt: the error on series held out soon grows, and the weights of its smallest are kept."""
    history, future = _windows()
    stopped = _made(epochs=60, learning_rate=0.2, holdout=0.3, patience=2).fit(history, future)
    errors = stopped.curve["holdout_last_step_mse"]
    assert len(errors) < 60 and len(errors) - 1 - int(np.argmin(errors)) == 2
    order = np.random.default_rng([SEED, 3]).permutation(SERIES)
    out = np.sort(order[:21])
    got = stopped.predict_ahead(history[out], HORIZON)
    assert_allclose(np.mean((got.astype("float64") - future[out]) ** 2), min(errors), rtol=1e-5)
    changed = future.copy()
    changed[out] += 1  # values that are nowhere learnt from
    again = _made(epochs=2, holdout=0.3).fit(history, changed)
    before = _made(epochs=2, holdout=0.3).fit(history, future)
    for one, other in zip(again.weights(), before.weights(), strict=True):
        assert_array_equal(one, other)


def the_best_epoch_on_the_validation_part_is_kept() -> None:
    """On the way to forecasts of 5, those of about 1 are the best where the truth is 1: neither first nor last."""
    history, future = _windows()
    watched = history, future + 1
    best = _made(epochs=8, learning_rate=0.2, select="validation").fit(history, future + 5, watched)
    errors = best.curve["val_last_step_mse"]
    got = best.predict_ahead(watched[0], HORIZON)
    assert len(errors) == 8 and 0 < int(np.argmin(errors)) < 7, errors
    assert_allclose(np.mean((got.astype("float64") - watched[1]) ** 2), min(errors), rtol=1e-5)


class EachStep(NetworkForecaster):
    """A linear layer of each step alone: it takes windows of any length."""

    strategy = SequenceToSequence()

    def receptive_field(self) -> int:
        return 1

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        return keras.Sequential([keras.layers.Dense(outputs)])

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense

        return nn.Sequential(Dense(channels, outputs))


def _backend() -> str:
    return sys.argv[1]


def _windows() -> tuple[np.ndarray, np.ndarray]:
    """History [70, 6, 2] and future [70, 2, 2], float32."""
    series = np.random.default_rng(0).standard_normal((SERIES, STEPS + HORIZON, CHANNELS)).astype("float32")
    return series[:, :STEPS].copy(), series[:, STEPS:].copy()


def _made(**settings: Any) -> EachStep:
    given = {"epochs": EPOCHS, "batch_size": BATCH, "learning_rate": RATE, "optimizer": "sgd", **settings}
    return EachStep(name="each_step", backend=_backend(), seed=SEED, **given)


def _compare(**settings: Any) -> None:
    """The weights after training are those of plain NumPy in float64."""
    history, future = _windows()
    forecaster = _made(**settings)
    forecaster.build(backends.load(_backend()), STEPS, CHANNELS, HORIZON)
    before = _weights(forecaster)
    expected = _trained(forecaster, before, np.concatenate([history, future], axis=1))
    forecaster.fit(history, future)
    for got, wanted, start in zip(_weights(forecaster), expected, before, strict=True):
        assert np.abs(wanted - start).max() > 1e-3, "hardly moved"
        assert_allclose(got, wanted, rtol=0, atol=5e-6)
    assert_allclose(forecaster.predict_ahead(history, HORIZON)[:, 0, 0], _first_output(history, expected), atol=1e-5)


def _first_output(history: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    return (history[:, -1] @ weights[0] + weights[1])[:, 0]


def _trained(made: EachStep, start: list[np.ndarray], series: np.ndarray) -> list[np.ndarray]:
    weights, optimizer, kept = [array.copy() for array in start], _Optimizer(made), []
    order, chance = np.random.default_rng(SEED), np.random.default_rng([SEED, 2])
    per_epoch = -(-SERIES // BATCH)
    for epoch in range(EPOCHS):
        inputs, targets = _augmented(made, series, chance)
        permutation = order.permutation(SERIES)
        for number in range(per_epoch):
            batch = permutation[number * BATCH : (number + 1) * BATCH]
            error = inputs[batch] @ weights[0] + weights[1] - targets[batch]
            d_error = 2 * error / error.size
            gradients = [np.einsum("ntd,nto->do", inputs[batch], d_error), d_error.sum((0, 1))]
            length = np.sqrt(sum(np.sum(gradient**2) for gradient in gradients))
            if made.clip_norm and length > made.clip_norm:
                gradients = [gradient * made.clip_norm / length for gradient in gradients]
            step = epoch * per_epoch + number
            weights = optimizer.step(weights, gradients, _rate(made, step, EPOCHS * per_epoch))
            kept.append(weights)
    return _averaged(made, kept)


def _rate(made: EachStep, step: int, steps: int) -> float:
    rising = int(np.ceil(made.warmup * steps))
    if step < rising:
        return made.learning_rate * (step + 1) / rising
    if made.schedule == "constant":
        return made.learning_rate
    return made.learning_rate * (1 + np.cos(np.pi * (step - rising) / (steps - rising))) / 2


def _averaged(made: EachStep, kept: list[list[np.ndarray]]) -> list[np.ndarray]:
    if made.averaging == "none":
        return kept[-1]
    last = kept[-int(np.ceil(made.averaging_share * len(kept))) :]
    if made.averaging == "swa":
        return [np.mean(values, axis=0) for values in zip(*last, strict=True)]
    average = last[0]
    for weights in last[1:]:
        pairs = zip(average, weights, strict=True)
        average = [made.averaging_decay * a + (1 - made.averaging_decay) * w for a, w in pairs]
    return average


def _augmented(made: EachStep, series: np.ndarray, chance: Any) -> tuple[np.ndarray, np.ndarray]:
    """Inputs [N, T', D] and targets [N, T', H D], series by series."""
    turned = [one.astype("float64") for one in series]
    if made.flip:
        tosses = chance.integers(2, size=(SERIES, 1, 1))
        turned = [-one if toss else one for one, toss in zip(turned, tosses, strict=True)]
    if made.reverse:
        tosses = chance.integers(2, size=(SERIES, 1, 1))
        turned = [one[::-1] if toss else one for one, toss in zip(turned, tosses, strict=True)]
    starts = chance.integers(made.shift + 1, size=(SERIES, 1)) if made.shift else np.zeros((SERIES, 1), int)
    length = STEPS - made.shift
    inputs = np.stack([one[int(s) : int(s) + length] for one, (s,) in zip(turned, starts, strict=True)])
    ahead = [
        [np.concatenate([one[int(s) + t + 1], one[int(s) + t + 2]]) for t in range(length)]
        for one, (s,) in zip(turned, starts, strict=True)
    ]
    if made.noise:
        inputs = inputs + made.noise * chance.standard_normal(inputs.shape, dtype=np.float32)
    return inputs, np.array(ahead)


class _Optimizer:
    """SGD; Adam as Keras documents it; AdamW, which shrinks the matrices beforehand."""

    def __init__(self, made: EachStep) -> None:
        self.made, self.steps = made, 0
        self.m: list[Any] = [0.0, 0.0]
        self.v: list[Any] = [0.0, 0.0]

    def step(self, weights: list[np.ndarray], gradients: list[np.ndarray], rate: float) -> list[np.ndarray]:
        if self.made.optimizer == "sgd":
            return [weight - rate * gradient for weight, gradient in zip(weights, gradients, strict=True)]
        self.steps += 1
        weights = [weights[0] * (1 - rate * self.made.weight_decay), weights[1]]
        rate = rate * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        self.m = [0.9 * m + 0.1 * g for m, g in zip(self.m, gradients, strict=True)]
        self.v = [0.999 * v + 0.001 * g * g for v, g in zip(self.v, gradients, strict=True)]
        return [w - rate * m / (np.sqrt(v) + 1e-7) for w, m, v in zip(weights, self.m, self.v, strict=True)]


def _weights(forecaster: Any) -> list[np.ndarray]:
    """In float64, as Keras keeps them."""
    return [(array.T if _backend() == "torch" else array).astype("float64") for array in forecaster.weights()]
