"""A convolution over time. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.layers.torch.activations import ACTIVATIONS
from implementations.layers.torch.initializers import convolution


class Conv1D(nn.Module):
    """A convolution over time, [N, T, channels] -> [N, T', filters]; causal: padded on the left, T' = T.

    Strides end at the newest step.
    """

    def __init__(
        self, channels: int, filters: int, width: int, *, stride: int = 1, dilation: int = 1,
        causal: bool = False, activation: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.lags, self.stride = range(0, dilation * width, dilation), stride
        self.causal = causal
        self.activation = ACTIVATIONS[activation]
        self.kernel = convolution(width, channels, filters)
        self.bias = nn.Parameter(torch.zeros(filters))

    @property
    def memory(self) -> float:
        """Count the earlier steps that an output depends on; without bound where strides leave some out."""
        return self.lags[-1] if self.stride == 1 else inf

    def forward(self, x: Tensor) -> Tensor:
        return self._over(F.pad(x, (0, 0, self.lags[-1], 0)) if self.causal else x)

    def advance(self, new: Tensor, earlier: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return outputs for new steps [N, S, D], after the earlier ones in memory (None: none yet), and those then."""
        if earlier is None:
            earlier = new.new_zeros(len(new), self.lags[-1], new.shape[2])
        seen = torch.cat([earlier, new], dim=1)
        return self._over(seen), seen[:, seen.shape[1] - self.lags[-1] :]

    def _over(self, x: Tensor) -> Tensor:
        """Convolve by one matrix product: for series this short and narrow, cheaper than PyTorch's convolution."""
        steps = x.shape[1] - self.lags[-1]
        first = (steps - 1) % self.stride
        seen = [x[:, first + lag : steps + lag : self.stride] for lag in self.lags]
        return self.activation(F.linear(torch.cat(seen, dim=2), self.kernel.mT.flatten(1), self.bias))
