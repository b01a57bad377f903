"""neuralforecast's RNN, LSTM and GRU: PyTorch's layers, a linear decoder over the last H states, no scaling."""

from __future__ import annotations

from functools import cache
from typing import Any

from . import lightning
from .child import Ask, all_series


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch."""
    from neuralforecast import NeuralForecast, models
    from neuralforecast.losses.pytorch import MSE

    clock, seconds = lightning.clock()
    model = getattr(models, ask.layer.upper())(
        h=ask.ahead,
        input_size=ask.history,
        encoder_n_layers=2,
        encoder_hidden_size=ask.units,
        decoder_layers=1,
        loss=MSE(),
        max_steps=ask.epochs * (ask.series // ask.batch),
        batch_size=ask.batch,
        windows_batch_size=ask.batch,
        scaler_type="identity",
        random_seed=42,
        callbacks=[clock],
        **lightning.QUIET,
    )
    NeuralForecast(models=[model], freq=1).fit(frame(ask))
    return seconds


@cache
def frame(ask: Ask) -> Any:
    """Return all series in one long table, as neuralforecast wants them."""
    import numpy as np
    import pandas as pd

    values = all_series(ask)
    lengths = [len(one) for one in values]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(values)), lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(values)[:, 0],
        }
    )
