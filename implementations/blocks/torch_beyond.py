"""Layers of the methods beyond the notes. Sequences are [N, T, channels]; [M, T] is one channel of one series a row."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import defaults, initial
from implementations.blocks.bases import basis
from implementations.blocks.torch import Conv1D, Dense


class ChannelsApart(nn.Module):
    """[N, T, D] -> [N D, T]: every channel of every series by itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2).reshape(-1, x.shape[1])


class ChannelsTogether(nn.Module):
    """[N D, H] -> [N, H D], the channels of a step side by side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(-1, self.channels, x.shape[1]).transpose(1, 2).flatten(1)


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
    """The largest of each `width` steps of [M, T], the last ones maybe fewer."""
    return x if width == 1 else F.max_pool1d(x[:, None], width, width, ceil_mode=True)[:, 0]


class TemporalBlock(nn.Module):
    """max(0, x + F(x)), F two causal dilated convolutions with ReLU: [N, T, D] -> [N, T, filters]."""

    def __init__(self, channels: int, filters: int, width: int, dilation: int) -> None:
        super().__init__()
        how: Any = {"dilation": dilation, "causal": True, "activation": "relu"}
        self.convolutions = nn.ModuleList(Conv1D(inputs, filters, width, **how) for inputs in (channels, filters))
        self.shortcut = nn.ModuleList([Conv1D(channels, filters, 1)] if channels != filters else [])

    @property
    def memory(self) -> float:
        """How many earlier steps an output depends on."""
        return sum(cast(Any, layer).memory for layer in self.convolutions)

    def forward(self, x: Tensor) -> Tensor:
        first, second = self.convolutions
        return self._added(x, second(first(x)))

    def advance(self, new: Tensor, states: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, D], after the convolutions' states (None: none yet), and the states then."""
        hidden, after = new, []
        for layer, state in zip(cast(Any, self.convolutions), states or [None, None], strict=True):
            hidden, state = layer.advance(hidden, state)
            after.append(state)
        return self._added(new, hidden), after

    def _added(self, x: Tensor, residual: Tensor) -> Tensor:
        for layer in self.shortcut:
            x = layer(x)
        return torch.relu(x + residual)


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
        self.places = nn.Parameter(torch.from_numpy(initial.uniform((places, width), -0.02, 0.02)))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.places


class Encoder(nn.Module):
    """Attention of all places to all, then a layer of its own for each; both added and normalised: [M, K, width]."""

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


class DiagonalStateSpace(nn.Module):
    """A diagonal state space for each channel, as a convolution, mixed, gated, added and normalised: [N, T, width].

    Its kernel [width, T] is 2 Re sum_m C_m (exp(dt A_m) - 1) / A_m exp(dt A_m l), in real numbers: A = -exp(a) + i w.
    """

    log_dt: Tensor
    log_A_re: Tensor
    A_im: Tensor
    C_re: Tensor
    C_im: Tensor
    D: Tensor

    def __init__(self, width: int, modes: int) -> None:
        super().__init__()
        for name, value in initial.diagonal_state_space(width, modes).items():
            setattr(self, name, nn.Parameter(torch.from_numpy(value)))
        self.mix, self.norm = Dense(width, 2 * width), nn.LayerNorm(width, eps=defaults.LAYER_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        y = (x.permute(2, 0, 1) @ self._lagged(x.shape[1])).permute(1, 2, 0)
        return self.norm(x + F.glu(self.mix(F.gelu(y + self.D * x))))

    def kernel(self, steps: int) -> Tensor:
        """The response to an impulse, [width, steps]."""
        dt, A_re = self.log_dt.exp()[:, None], -self.log_A_re.exp()
        re, im = dt * A_re, dt * self.A_im
        # (exp(dt A) - 1) / A
        grown_re, grown_im = re.exp() * im.cos() - 1, re.exp() * im.sin()
        size = A_re * A_re + self.A_im * self.A_im
        B_re = (grown_re * A_re + grown_im * self.A_im) / size
        B_im = (grown_im * A_re - grown_re * self.A_im) / size
        CB_re = self.C_re * B_re - self.C_im * B_im
        CB_im = self.C_re * B_im + self.C_im * B_re
        lags = torch.arange(steps, dtype=re.dtype, device=re.device)
        decay, angle = (re[:, :, None] * lags).exp(), im[:, :, None] * lags
        waves = CB_re[:, :, None] * angle.cos() - CB_im[:, :, None] * angle.sin()
        return 2 * (decay * waves).sum(dim=1)

    def _lagged(self, steps: int) -> Tensor:
        """The kernel as matrices [width, from, to]: each row is the one before, a step later."""
        row = F.pad(self.kernel(steps), (0, steps))
        rows = row.repeat(1, steps)[:, : steps * (2 * steps - 1)]
        return rows.unflatten(1, (steps, 2 * steps - 1))[:, :, :steps]
