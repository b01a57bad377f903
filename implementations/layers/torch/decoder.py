"""An encoder and a decoder as one layer, where the second is started by the first or reads its own forecasts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.layers.torch.dense import Dense
from implementations.layers.torch.initializers import orthogonal
from implementations.layers.torch.recurrent import SimpleRNN


class Decoded(nn.Module):
    """Read the history into a code, and write H steps from it: [N, T, D] -> [N, H D].

    feed_back: each step reads the forecast before it, the first the last value; hand_over: the code is the first state.
    steps: T, where more than T steps are teacher forcing: the decoder reads those instead of its forecasts.
    """

    def __init__(
        self, units: int, horizon: int, channels: int, feed_back: bool, hand_over: bool, steps: int | None = None
    ) -> None:
        super().__init__()
        self.steps = steps
        self.horizon, self.feed_back, self.hand_over = horizon, feed_back, hand_over
        self.encoder = SimpleRNN(channels, units, return_sequences=False)
        self.project = Dense(units + (channels if feed_back else 0), units)
        self.recurrent_kernel = orthogonal(units, units)
        self.head = Dense(units, channels)

    def forward(self, x: Tensor) -> Tensor:
        x, truth = (x, x[:, :0]) if self.steps is None else (x[:, : self.steps], x[:, self.steps :])
        code, output = self.encoder(x), x[:, -1]
        state, outputs = code if self.hand_over else torch.zeros_like(code), []
        for step in range(self.horizon):
            seen = torch.cat([code, output], dim=-1) if self.feed_back else code
            state = torch.tanh(self.project(seen) + F.linear(state, self.recurrent_kernel))
            output = self.head(state)
            outputs.append(output)
            if step < truth.shape[1]:
                output = truth[:, step]
        return torch.cat(outputs, dim=-1)
