"""Linear layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.layers.torch.initializers import glorot


class Dense(nn.Linear):
    """Glorot uniform weights and zero bias, applied at every step."""

    def reset_parameters(self) -> None:
        self.weight = glorot(self.in_features, self.out_features)
        nn.init.zeros_(self.bias)


class TrendAndRest(nn.Module):
    """A linear map of the moving average, and one of what is left: [M, T] -> [M, H]."""

    def __init__(self, steps: int, horizon: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.trend, self.rest = Dense(steps, horizon), Dense(steps, horizon)

    def forward(self, x: Tensor) -> Tensor:
        before, after = self.width // 2, (self.width - 1) // 2
        padded = torch.cat([x[:, :1].expand(-1, before), x, x[:, -1:].expand(-1, after)], dim=1)
        average = F.avg_pool1d(padded[:, None], self.width, 1)[:, 0]
        return self.trend(average) + self.rest(x - average)
