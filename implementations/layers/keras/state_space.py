"""A diagonal state space. Sequences are [N, T, channels]."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations import initializers
from implementations.layers.keras.activations import gelu
from implementations.layers.keras.base import Configured, Shape, Tensor, build, register
from implementations.layers.keras.initializers import starting_at


@register
class DiagonalStateSpace(Configured):
    """A diagonal state space for each channel, as a convolution, mixed, gated, added and normalised: [N, T, width].

    Its kernel [width, T] is 2 Re sum_m C_m (exp(dt A_m) - 1) / A_m exp(dt A_m l), in real numbers: A = -exp(a) + i w.
    """

    def __init__(self, width: int, modes: int, dt_min: float = 1e-3, dt_max: float = 1e-1, **kwargs: Any) -> None:
        super().__init__({"width": width, "modes": modes, "dt_min": dt_min, "dt_max": dt_max}, **kwargs)
        self.width, self.modes, self.dt = width, modes, (dt_min, dt_max)
        self.mix, self.norm = keras.layers.Dense(2 * width), keras.layers.LayerNormalization()

    def build(self, shape: Shape) -> None:
        start = initializers.diagonal_state_space(initializers.current(), self.width, self.modes, *self.dt)
        for name, value in start.items():
            setattr(self, name, self.add_weight(shape=value.shape, initializer=starting_at(value), name=name))
        build(self.mix, shape)
        build(self.norm, shape)

    def call(self, x: Tensor) -> Tensor:
        y = ops.transpose(ops.matmul(ops.transpose(x, (2, 0, 1)), self._lagged(x.shape[1])), (1, 2, 0))
        value, gate = ops.split(self.mix(gelu(y + self.D * x)), 2, axis=-1)
        return self.norm(x + value * ops.sigmoid(gate))

    def kernel(self, steps: int) -> Tensor:
        """Return the response to an impulse, [width, steps]."""
        dt, A_re = ops.exp(self.log_dt)[:, None], -ops.exp(self.log_A_re)
        re, im = dt * A_re, dt * self.A_im
        # (exp(dt A) - 1) / A
        grown_re, grown_im = ops.exp(re) * ops.cos(im) - 1, ops.exp(re) * ops.sin(im)
        size = A_re * A_re + self.A_im * self.A_im
        B_re = (grown_re * A_re + grown_im * self.A_im) / size
        B_im = (grown_im * A_re - grown_re * self.A_im) / size
        CB_re = self.C_re * B_re - self.C_im * B_im
        CB_im = self.C_re * B_im + self.C_im * B_re
        lags = ops.cast(ops.arange(steps), re.dtype)
        decay, angle = ops.exp(re[:, :, None] * lags), im[:, :, None] * lags
        waves = CB_re[:, :, None] * ops.cos(angle) - CB_im[:, :, None] * ops.sin(angle)
        return 2 * ops.sum(decay * waves, axis=1)

    def _lagged(self, steps: int) -> Tensor:
        """Return the kernel as matrices [width, from, to]: each row is the one before, a step later."""
        kernel = self.kernel(steps)
        row = ops.concatenate([kernel, ops.zeros_like(kernel)], axis=1)
        rows = ops.tile(row, (1, steps))[:, : steps * (2 * steps - 1)]
        return ops.reshape(rows, (self.width, steps, 2 * steps - 1))[:, :, :steps]

    def compute_output_shape(self, shape: Shape) -> Shape:
        return shape
