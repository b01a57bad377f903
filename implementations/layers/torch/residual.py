"""Residual blocks: of WaveNet, of temporal convolutional networks, of N-BEATS and N-HiTS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.incremental import State
from implementations.layers.bases import basis
from implementations.layers.torch.convolution import Conv1D
from implementations.layers.torch.dense import Dense


class GatedStack(nn.Module):
    """WaveNet's residual blocks, one per dilation d; returns the sum of their skip outputs s, [N, T, filters].

    z = tanh(W_f *_d x) * sigmoid(W_g *_d x); s = V z; the next block's x is x + s. tanh_twice applies tanh again to the
    first factor, as the reference's code does.
    """

    def __init__(self, filters: int, dilations: list[int], tanh_twice: bool = False) -> None:
        super().__init__()
        self.tanh_twice = tanh_twice
        gates = [Conv1D(filters, 2 * filters, 2, dilation=d, causal=True) for d in dilations]
        self.gates = cast(list[Conv1D], nn.ModuleList(gates))
        self.mixes = nn.ModuleList(Conv1D(filters, filters, 1) for _ in dilations)

    @property
    def memory(self) -> float:
        """Count the earlier steps that an output depends on."""
        return sum(gate.memory for gate in self.gates)

    def forward(self, x: Tensor) -> Tensor:
        return self._through(x, lambda gate, x: gate(x))

    def advance(self, new: Tensor, states: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, filters], after the gates' states (None: none yet), and the states."""
        before, after = iter(states or [None] * len(self.gates)), []

        def gated(gate: Conv1D, x: Tensor) -> Tensor:
            outputs, state = gate.advance(x, next(before))
            after.append(state)
            return outputs

        return self._through(new, gated), after

    def _through(self, x: Tensor, gated: Callable[[Conv1D, Tensor], Tensor]) -> Tensor:
        skips: list[Tensor] = []
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            f, g = gated(gate, x).chunk(2, dim=-1)
            f = torch.tanh(torch.tanh(f)) if self.tanh_twice else torch.tanh(f)
            skips.append(mix(f * torch.sigmoid(g)))
            x = x + skips[-1]
        return torch.stack(skips).sum(dim=0)


class TemporalBlock(nn.Module):
    """max(0, x + F(x)), F two causal dilated convolutions with ReLU: [N, T, D] -> [N, T, filters]."""

    def __init__(self, channels: int, filters: int, width: int, dilation: int) -> None:
        super().__init__()
        how: Any = {"dilation": dilation, "causal": True, "activation": "relu"}
        convolutions = [Conv1D(inputs, filters, width, **how) for inputs in (channels, filters)]
        self.convolutions = cast(list[Conv1D], nn.ModuleList(convolutions))
        self.shortcut = nn.ModuleList([Conv1D(channels, filters, 1)] if channels != filters else [])

    @property
    def memory(self) -> float:
        """Count the earlier steps that an output depends on."""
        return sum(layer.memory for layer in self.convolutions)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.convolutions
        return self._added(x, second(first(x)))

    def advance(self, new: Tensor, states: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the convolutions' states (None: none yet), and the states."""
        hidden, after = new, []
        for layer, state in zip(self.convolutions, states or [None, None], strict=True):
            hidden, state = layer.advance(hidden, state)
            after.append(state)
        return self._added(new, hidden), after

    def _added(self, x: Tensor, residual: Tensor) -> Tensor:
        for layer in self.shortcut:
            x = layer(x)
        return torch.relu(x + residual)


class DoublyResidual(nn.Module):
    """Blocks that each take what they explain off the history, and add to the forecast: [M, T] -> [M, H].

    blocks: for each its basis (see `bases`), how many steps ahead share a knot, and how many steps back are pooled.
    """

    def __init__(self, steps: int, horizon: int, blocks: list[list[Any]], layers: int, width: int) -> None:
        super().__init__()
        self.pools = [pool for _, _, pool in blocks]
        self.hidden, self.thetas = nn.ModuleList(), nn.ModuleList()
        self.bases = []
        for kind, every, pool in blocks:
            widths = [-(-steps // pool), *[width] * layers]
            self.bases.append([torch.tensor(matrix) for matrix in basis(kind, every, steps, horizon)])
            self.hidden.append(nn.ModuleList(map(Dense, widths, widths[1:])))
            self.thetas.append(Dense(width, len(self.bases[-1][0])))

    def forward(self, x: Tensor) -> Tensor:
        forecasts = []
        for pool, layers, last, bases in zip(self.pools, cast(Any, self.hidden), self.thetas, self.bases, strict=True):
            hidden = _pooled(x, pool)
            for layer in layers:
                hidden = torch.relu(layer(hidden))
            theta = last(hidden)
            back, ahead = (matrix.to(theta) for matrix in bases)
            forecasts.append(theta @ ahead)
            x = x - theta @ back
        return torch.stack(forecasts).sum(dim=0)


def _pooled(x: Tensor, width: int) -> Tensor:
    """Take the largest of each `width` steps of [M, T]; the last group may have fewer."""
    return x if width == 1 else F.max_pool1d(x[:, None], width, width, ceil_mode=True)[:, 0]
