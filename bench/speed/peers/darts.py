"""Darts' BlockRNNModel: the recurrent layers are PyTorch's own; forecasts come from the last state alone."""

from __future__ import annotations

from functools import cache
from typing import Any

from . import lightning
from .child import Ask, all_series


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch."""
    from darts.models import BlockRNNModel
    from torch.nn import MSELoss

    clock, seconds = lightning.clock()
    limit = {"max_steps": ask.series // ask.batch} if ask.table else {}
    model = BlockRNNModel(
        input_chunk_length=ask.history,
        output_chunk_length=ask.ahead,
        model=ask.layer.upper(),
        hidden_dim=ask.units,
        n_rnn_layers=2,
        batch_size=ask.batch,
        n_epochs=ask.epochs,
        loss_fn=MSELoss(),
        random_state=42,
        pl_trainer_kwargs={**lightning.QUIET, "callbacks": [clock], **limit},
    )
    model.fit(series(ask), max_samples_per_ts=None if ask.table else 1)
    return seconds


@cache
def series(ask: Ask) -> list[Any]:
    """Return one Darts series for each of ours."""
    from darts import TimeSeries

    return [TimeSeries.from_values(values) for values in all_series(ask)]
