"""A diagonal state space. Sequences are [N, T, channels]."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import framework_defaults as defaults
from implementations import initializers
from implementations.layers.torch.dense import Dense


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

    def __init__(self, width: int, modes: int, dt_min: float = 1e-3, dt_max: float = 1e-1) -> None:
        super().__init__()
        start = initializers.diagonal_state_space(initializers.current(), width, modes, dt_min, dt_max)
        for name, value in start.items():
            setattr(self, name, nn.Parameter(torch.from_numpy(value)))
        self.mix, self.norm = Dense(width, 2 * width), nn.LayerNorm(width, eps=defaults.LAYER_NORM_EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        y = (x.permute(2, 0, 1) @ self._lagged(x.shape[1])).permute(1, 2, 0)
        return self.norm(x + F.glu(self.mix(F.gelu(y + self.D * x))))

    def kernel(self, steps: int) -> Tensor:
        """Return the response to an impulse, [width, steps]."""
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
        """Return the kernel as matrices [width, from, to]: each row is the one before, a step later."""
        row = F.pad(self.kernel(steps), (0, steps))
        rows = row.repeat(1, steps)[:, : steps * (2 * steps - 1)]
        return rows.unflatten(1, (steps, 2 * steps - 1))[:, :, :steps]
