"""This project's methods, by the public interface that a user has."""

from __future__ import annotations

import numpy as np

from .child import Ask

METHODS = {"linear": "linear", "rnn": "rnn_sequence", "lstm": "lstm", "gru": "gru", "wavenet": "wavenet_simple"}


def train(ask: Ask) -> list[float]:
    """Seconds of each epoch, as the record of a run has them: compilation and validation left out."""
    from implementations import backends, make

    backends.load(ask.contestant, threads=1)
    train, validation = ask.data()
    forecaster = make(METHODS[ask.network], ask.contestant, seed=42, epochs=ask.epochs)
    forecaster.fit(*train, validation=validation)
    return [float(seconds) for seconds in np.diff(forecaster.curve["seconds"], prepend=0.0)]
