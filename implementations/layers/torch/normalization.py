"""Batch normalisation as Keras has it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from implementations import framework_defaults as defaults


class BatchNormalization(nn.Module):
    """Normalise each channel over the series and steps of a batch; the moving variance is the biased one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.momentum, self.epsilon = defaults.BATCH_NORM_MOMENTUM, defaults.BATCH_NORM_EPSILON
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.moving_mean: Tensor
        self.moving_variance: Tensor
        self.register_buffer("moving_mean", torch.zeros(channels))
        self.register_buffer("moving_variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self._normalise(x, self.moving_mean, self.moving_variance)
        axes = tuple(range(x.ndim - 1))
        variance, mean = torch.var_mean(x, dim=axes, correction=0)
        self.moving_mean.lerp_(mean.detach(), 1 - self.momentum)
        self.moving_variance.lerp_(variance.detach(), 1 - self.momentum)
        return self._normalise(x, mean, variance)

    def _normalise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) * (torch.rsqrt(variance + self.epsilon) * self.gamma) + self.beta
