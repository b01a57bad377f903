"""A loop as PyTorch's tutorials have it, over its own layers; a forecast at every step, as ours."""

from __future__ import annotations

import time

from .child import Ask


def train(ask: Ask) -> list[float]:
    """Return seconds of each epoch."""
    import torch

    from implementations.strategies import SequenceToSequence

    torch.set_num_threads(1)
    (history, future), _ = ask.data()
    inputs, truth = (torch.tensor(part) for part in (history, SequenceToSequence().targets(history, future)))
    layer = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[ask.network]
    recurrent, head = layer(1, ask.units, num_layers=2, batch_first=True), torch.nn.Linear(ask.units, ask.ahead)
    optimizer = torch.optim.Adam([*recurrent.parameters(), *head.parameters()])
    seconds: list[float] = []
    for _ in range(ask.epochs):
        start = time.perf_counter()
        for rows in torch.split(torch.randperm(ask.series), ask.batch):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(head(recurrent(inputs[rows])[0]), truth[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        loss.item()
        seconds.append(time.perf_counter() - start)
    return seconds
