"""Dropout on the state of a recurrent layer. Sequences are [N, T, channels]."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from implementations.layers.torch.cells import Cell


class DropoutRNN(Cell):
    """A simple recurrent layer that drops inputs and state values in training, by a new mask at every step.

    h_t = tanh(W (m_t * x_t) + U (n_t * h_{t-1}) + b).
    """

    def __init__(self, channels: int, units: int, rate: float, recurrent_rate: float) -> None:
        super().__init__(channels, units, gates=1)
        self.rate, self.recurrent_rate = rate, recurrent_rate

    def forward(self, x: Tensor) -> Tensor:
        nets = self.inputs(F.dropout(x, self.rate, self.training))
        masks = F.dropout(x.new_ones(len(nets), len(x), self.units), self.recurrent_rate, self.training)
        state, outputs = x.new_zeros(len(x), self.units), []
        for net, mask in zip(nets, masks, strict=True):
            state = torch.tanh(self.recur(net, mask * state))
            outputs.append(state)
        return torch.stack(outputs, dim=1)
