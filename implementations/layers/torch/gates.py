"""A recurrent layer whose gates see the input alone, so that all steps can be computed at once. [N, T, channels]."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.layers.torch.dense import Dense


class MinGRU(nn.Module):
    """h_t = (1 - z_t) * h_{t-1} + z_t * n_t, z_t = sigmoid(W_z x_t + b_z), n_t = W_n x_t + b_n: [N, T, units]."""

    memory = inf

    def __init__(self, channels: int, units: int) -> None:
        super().__init__()
        self.project = Dense(channels, 2 * units)

    def forward(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, new: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return outputs for new steps [N, S, D], after the state [N, units] (None: none yet), and the state then."""
        gate, candidate = self.project(new).chunk(2, dim=-1)
        z = torch.sigmoid(gate)
        kept, taken = 1 - z, z * candidate
        if state is not None:
            taken = torch.cat([taken[:, :1] + kept[:, :1] * state[:, None], taken[:, 1:]], dim=1)
        states = summed(kept, taken)
        return states, states[:, -1]


def summed(kept: Tensor, taken: Tensor) -> Tensor:
    """Return h_t = kept_t * h_{t-1} + taken_t, h_0 = 0, over axis 1: a parallel scan, in log2 T passes over all steps.

    Hillis and Steele 1986, doi:10.1145/7902.7903: after a pass, each step has seen twice as many steps as before.
    """
    lag = 1
    while lag < taken.shape[1]:
        taken = taken + kept * F.pad(taken[:, :-lag], (0, 0, lag, 0))
        kept = kept * F.pad(kept[:, :-lag], (0, 0, lag, 0))
        lag *= 2
    return taken
