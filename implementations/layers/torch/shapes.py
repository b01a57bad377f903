"""Layers that only change shapes."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelsApart(nn.Module):
    """[N, T, D] -> [N D, T]: every channel of every series is one row."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).reshape(-1, x.shape[1])


class ChannelsTogether(nn.Module):
    """[N D, H] -> [N, H D], the channels of a step side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, self.channels, x.shape[1]).transpose(1, 2).flatten(1)


class RepeatVector(nn.Module):
    """[N, units] -> [N, steps, units]."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        return x[:, None].expand(-1, self.steps, -1)
