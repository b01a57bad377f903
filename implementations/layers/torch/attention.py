"""The parts of a transformer over patches: [M, T] is one channel of one series a row."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import framework_defaults as defaults
from implementations.layers.torch.dense import Dense
from implementations.layers.torch.initializers import uniform


class Patches(nn.Module):
    """Stretches of `length` steps, one every `stride`, the last value repeated: [M, T] -> [M, patches, length]."""

    def __init__(self, length: int, stride: int) -> None:
        super().__init__()
        self.length, self.stride = length, stride

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, x[:, -1:].expand(-1, self.stride)], dim=1).unfold(1, self.length, self.stride)


class Positions(nn.Module):
    """Adds to each place a vector that is learnt: [M, patches, width]."""

    def __init__(self, places: int, width: int) -> None:
        super().__init__()
        self.places = uniform((places, width), -0.02, 0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.places


class Encoder(nn.Module):
    """Attention of all places to all, then a layer at each place; both added and normalised: [M, K, width]."""

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.project, self.mix = Dense(width, 3 * width), Dense(width, width)
        self.widen, self.narrow = Dense(width, hidden), Dense(hidden, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width, eps=defaults.LAYER_NORM_EPSILON) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = self.norms[0](x + self._attention(x))
        return self.norms[1](x + self.narrow(F.gelu(self.widen(x))))

    def _attention(self, x: Tensor) -> Tensor:
        apart = self.project(x).unflatten(2, (3, self.heads, -1))
        q, k, v = apart.permute(2, 0, 3, 1, 4)  # [M, heads, K, size] each
        together = F.scaled_dot_product_attention(q, k, v)
        return self.mix(together.transpose(1, 2).flatten(2))
