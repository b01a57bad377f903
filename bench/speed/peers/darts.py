"""Darts' BlockRNNModel: the recurrent layers are PyTorch's own; forecasts come from the last state alone."""

from __future__ import annotations

from functools import cache
from typing import Any

from . import lightning
from .child import Ask


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch."""
    from darts.models import BlockRNNModel
    from torch.nn import MSELoss

    clock, seconds = lightning.clock()
    model = BlockRNNModel(
        input_chunk_length=ask.history,
        output_chunk_length=ask.ahead,
        model=ask.layer.upper(),
        hidden_dim=20,
        n_rnn_layers=2,
        batch_size=32,
        n_epochs=ask.epochs,
        loss_fn=MSELoss(),
        random_state=42,
        pl_trainer_kwargs={**lightning.QUIET, "callbacks": [clock]},
    )
    model.fit(series(ask), max_samples_per_ts=1)
    return seconds


@cache
def series(ask: Ask) -> list[Any]:
    """Return one Darts series for each of ours."""
    import numpy as np
    from darts import TimeSeries

    (history, future), _ = ask.data()
    return [TimeSeries.from_values(values) for values in np.concatenate([history, future], axis=1)]
