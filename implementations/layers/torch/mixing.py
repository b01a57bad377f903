"""Layers of perceptrons over a whole window: of TiDE and of TSMixer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from implementations import framework_defaults as defaults
from implementations.layers.torch.dense import Dense


class ResidualBlock(nn.Module):
    """W' max(0, W x + b) + b' + V x + c over the last axis, then layer norm if `normalised`: [..., outputs]."""

    def __init__(self, inputs: int, hidden: int, outputs: int, normalised: bool = True) -> None:
        super().__init__()
        self.widen, self.narrow = Dense(inputs, hidden), Dense(hidden, outputs)
        self.shortcut = Dense(inputs, outputs)
        norms = [nn.LayerNorm(outputs, eps=defaults.LAYER_NORM_EPSILON)] if normalised else []
        self.norms = nn.Sequential(*norms)

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = self.norms(self.narrow(torch.relu(self.widen(x))) + self.shortcut(x))
        return normalised


class DenseEncoder(nn.Module):
    """TiDE: residual blocks to a code, from it to `width` numbers for each step ahead, from these to the step.

    A linear map of the history is added: [M, T] -> [M, H].
    """

    def __init__(self, steps: int, horizon: int, units: int, layers: int, width: int) -> None:
        super().__init__()
        self.horizon, self.width = horizon, width
        sizes = [steps, *[units] * (2 * layers - 1), horizon * width]
        self.blocks = nn.ModuleList(ResidualBlock(a, units, b) for a, b in zip(sizes, sizes[1:], strict=False))
        self.at_a_step, self.linear = ResidualBlock(width, units, 1, normalised=False), Dense(steps, horizon)

    def forward(self, x: Tensor) -> Tensor:
        inner = x
        for block in self.blocks:
            inner = block(inner)
        ahead: Tensor = self.at_a_step(inner.unflatten(1, (self.horizon, self.width)))[:, :, 0]
        return ahead + self.linear(x)


class Mixer(nn.Module):
    """TSMixer's block: a layer over the steps of each channel, then one over the channels of each step: [N, T, D]."""

    def __init__(self, steps: int, channels: int, hidden: int) -> None:
        super().__init__()
        # over the steps of a channel
        self.norms = nn.ModuleList(nn.LayerNorm(steps, eps=defaults.LAYER_NORM_EPSILON) for _ in range(2))
        self.over_steps = Dense(steps, steps)
        self.widen, self.narrow = Dense(channels, hidden), Dense(hidden, channels)

    def forward(self, x: Tensor) -> Tensor:
        by_channel = x.mT
        by_channel = by_channel + torch.relu(self.over_steps(self.norms[0](by_channel)))
        seen = self.norms[1](by_channel).mT
        mixed: Tensor = by_channel.mT + self.narrow(torch.relu(self.widen(seen)))
        return mixed
