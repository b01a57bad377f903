"""The reference's code: stock Keras layers on TensorFlow, compile with its defaults, model.fit; nothing tuned.

As `stock keras` and `stock keras-jax` the same without the reference's own metric.
"""

from __future__ import annotations

import time
from typing import Any

from .child import Ask


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch, validation included where it is asked for."""
    from implementations import backends
    from implementations.strategies import MultiOutput, SequenceToSequence

    backends.load(ask.contestant.removeprefix("stock ").replace("reference", "keras"), threads=1)
    import keras

    keras.utils.set_random_seed(42)
    strategy = MultiOutput() if ask.network == "linear" else SequenceToSequence()
    train, validation = ask.data()
    model = keras.Sequential([keras.Input(train[0].shape[1:]), *layers(ask)])
    model.compile(loss="mse", optimizer="adam", metrics=[last_step_mse] if ask.contestant == "reference" else None)
    marks: list[float] = []
    model.fit(
        train[0],
        strategy.targets(*train),
        batch_size=ask.batch,
        epochs=ask.epochs,
        validation_data=(validation[0], strategy.targets(*validation)) if validation else None,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=lambda epoch, logs: marks.append(-time.perf_counter()),
                on_epoch_end=lambda epoch, logs: marks.append(marks.pop() + time.perf_counter()),
            )
        ],
        verbose=0,
    )
    return marks


def layers(ask: Ask) -> list[Any]:
    """Return the reference's layers: two recurrent ones of 20 units, or eight dilated convolutions of 20 filters."""
    from keras.layers import GRU, LSTM, Conv1D, Dense, Flatten, SimpleRNN

    if ask.network == "linear":
        return [Flatten(), Dense(ask.ahead)]
    if ask.network == "wavenet":
        dilated = [Conv1D(20, 2, padding="causal", activation="relu", dilation_rate=rate) for rate in (1, 2, 4, 8) * 2]
        return [*dilated, Conv1D(ask.ahead, 1)]
    recurrent = {"rnn": SimpleRNN, "lstm": LSTM, "gru": GRU}[ask.network]
    return [*(recurrent(ask.units, return_sequences=True) for _ in range(2)), Dense(ask.ahead)]


def last_step_mse(truth: Any, forecast: Any) -> Any:
    """Return the reference's metric: the error of what is forecast from the last step."""
    from keras import ops

    return ops.mean(ops.square(truth[:, -1] - forecast[:, -1]))
