"""Layers of the methods beyond the notes. Sequences are [N, T, channels]; [M, T] is one channel of one series a row."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from implementations import initial
from implementations.blocks.bases import basis
from implementations.blocks.keras import Conv1D, register


class _Made(keras.layers.Layer):
    """A layer that is its constructor's arguments and weights."""

    def __init__(self, arguments: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.arguments = arguments

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.arguments}


def _build(layer: keras.layers.Layer, shape: Any) -> None:
    if not layer.built:  # a loaded one is
        layer.build(shape)


def _at(start: np.ndarray) -> Any:
    """What makes a weight start at these values."""
    return lambda shape, dtype: ops.cast(ops.convert_to_tensor(start), dtype)


def _gelu(x: Any) -> Any:
    """x times the share of a normal distribution below x; TensorFlow's own rounds the root of 2 to float32."""
    return 0.5 * x * (1 + ops.erf(x / 2**0.5))


@register
class ChannelsApart(keras.layers.Layer):
    """[N, T, D] -> [N D, T]: every channel of every series by itself."""

    def call(self, x: Any) -> Any:
        return ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, x.shape[1]))

    def compute_output_shape(self, shape: Any) -> Any:
        return (None, shape[1])


@register
class ChannelsTogether(_Made):
    """[N D, H] -> [N, H D], the channels of a step side by side."""

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__({"channels": channels}, **kwargs)
        self.channels = channels

    def call(self, x: Any) -> Any:
        apart = ops.reshape(x, (-1, self.channels, x.shape[1]))
        return ops.reshape(ops.transpose(apart, (0, 2, 1)), (-1, self.channels * x.shape[1]))

    def compute_output_shape(self, shape: Any) -> Any:
        return (None, self.channels * shape[1])


@register
class TrendAndRest(_Made):
    """A linear map of the moving average, and one of what is left: [M, T] -> [M, H]."""

    def __init__(self, horizon: int, width: int, **kwargs: Any) -> None:
        super().__init__({"horizon": horizon, "width": width}, **kwargs)
        self.horizon, self.width = horizon, width
        self.trend, self.rest = keras.layers.Dense(horizon), keras.layers.Dense(horizon)

    def build(self, shape: Any) -> None:
        for layer in (self.trend, self.rest):
            _build(layer, shape)

    def call(self, x: Any) -> Any:
        before, after = self.width // 2, (self.width - 1) // 2
        padded = ops.concatenate([ops.repeat(x[:, :1], before, 1), x, ops.repeat(x[:, -1:], after, 1)], axis=1)
        average = sum(padded[:, lag : lag + x.shape[1]] for lag in range(self.width)) / self.width
        return self.trend(average) + self.rest(x - average)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], self.horizon)


@register
class DoublyResidual(_Made):
    """Blocks that each take what they explain off the history, and add to the forecast: [M, T] -> [M, H].

    blocks: for each its basis (see `bases`), how many steps ahead share a knot, and how many steps back are pooled.
    """

    def __init__(
        self, horizon: int, blocks: list[list[Any]], layers: int, width: int, **kwargs: Any
    ) -> None:  # fmt: skip
        super().__init__({"horizon": horizon, "blocks": blocks, "layers": layers, "width": width}, **kwargs)
        self.horizon, self.blocks, self.layers_each, self.width = horizon, [list(one) for one in blocks], layers, width
        self.hidden = [keras.layers.Dense(width, activation="relu") for _ in range(layers * len(blocks))]

    def build(self, shape: Any) -> None:
        steps = shape[1]
        self.bases = [basis(kind, every, steps, self.horizon) for kind, every, _ in self.blocks]
        self.thetas = [keras.layers.Dense(len(back)) for back, _ in self.bases]
        for number, (_, _, pool) in enumerate(self.blocks):
            width = -(-steps // pool)
            for layer in self._of(number):
                _build(layer, (None, width))
                width = self.width
            _build(self.thetas[number], (None, width))

    def _of(self, number: int) -> list[keras.layers.Layer]:
        return self.hidden[number * self.layers_each : (number + 1) * self.layers_each]

    def call(self, x: Any) -> Any:
        forecast: Any = 0
        for number, (_, _, pool) in enumerate(self.blocks):
            hidden = _pooled(x, pool)
            for layer in self._of(number):
                hidden = layer(hidden)
            theta = self.thetas[number](hidden)
            back, ahead = (ops.cast(ops.convert_to_tensor(matrix), x.dtype) for matrix in self.bases[number])
            forecast = forecast + ops.matmul(theta, ahead)
            x = x - ops.matmul(theta, back)
        return forecast

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], self.horizon)


def _pooled(x: Any, width: int) -> Any:
    """The largest of each `width` steps of [M, T], the last ones maybe fewer."""
    if width == 1:
        return x
    missing = -x.shape[1] % width
    filled = ops.concatenate([x, ops.repeat(x[:, -1:], missing, 1)], axis=1) if missing else x
    return ops.max(ops.reshape(filled, (-1, filled.shape[1] // width, width)), axis=2)


@register
class TemporalBlock(_Made):
    """max(0, x + F(x)), F two causal dilated convolutions with ReLU: [N, T, D] -> [N, T, filters]."""

    def __init__(self, filters: int, width: int, dilation: int, narrow: bool = False, **kwargs: Any) -> None:
        super().__init__({"filters": filters, "width": width, "dilation": dilation, "narrow": narrow}, **kwargs)
        self.filters = filters
        how = {"padding": "causal", "dilation_rate": dilation, "activation": "relu"}
        self.convolutions = [Conv1D(filters, width, **how) for _ in range(2)]
        self.shortcut = [Conv1D(filters, 1)] if narrow else []  # where x has another width

    def build(self, shape: Any) -> None:
        first, second = self.convolutions
        _build(first, shape)
        _build(second, (*shape[:2], self.filters))
        for layer in self.shortcut:
            _build(layer, shape)

    @property
    def memory(self) -> float:
        """How many earlier steps an output depends on."""
        return sum(layer.memory for layer in self.convolutions)

    def call(self, x: Any) -> Any:
        first, second = self.convolutions
        return self._added(x, second(first(x)))

    def advance(self, new: Any, states: Any) -> tuple[Any, Any]:
        """Its outputs for new steps [N, S, D], after the convolutions' states (None: none yet), and the states then."""
        hidden, after = new, []
        for layer, state in zip(self.convolutions, states or [None, None], strict=True):
            hidden, state = layer.advance(hidden, state)
            after.append(state)
        return self._added(new, hidden), after

    def _added(self, x: Any, residual: Any) -> Any:
        for layer in self.shortcut:
            x = layer(x)
        return ops.relu(x + residual)

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:2], self.filters)


@register
class Patches(_Made):
    """Stretches of `length` steps, one every `stride`, the last value repeated: [M, T] -> [M, patches, length]."""

    def __init__(self, length: int, stride: int, **kwargs: Any) -> None:
        super().__init__({"length": length, "stride": stride}, **kwargs)
        self.length, self.stride = length, stride

    def call(self, x: Any) -> Any:
        x = ops.concatenate([x, ops.repeat(x[:, -1:], self.stride, 1)], axis=1)
        starts = range(0, x.shape[1] - self.length + 1, self.stride)
        return ops.stack([x[:, start : start + self.length] for start in starts], axis=1)

    def compute_output_shape(self, shape: Any) -> Any:
        return (shape[0], (shape[1] + self.stride - self.length) // self.stride + 1, self.length)


@register
class Positions(keras.layers.Layer):
    """Adds to each place a vector that is learnt: [M, patches, width]."""

    def build(self, shape: Any) -> None:
        start = initial.uniform(shape[1:], -0.02, 0.02)
        self.places = self.add_weight(shape=shape[1:], initializer=_at(start), name="places")

    def call(self, x: Any) -> Any:
        return x + self.places

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


@register
class Encoder(_Made):
    """Attention of all places to all, then a layer of its own for each; both added and normalised: [M, K, width]."""

    def __init__(self, width: int, heads: int, hidden: int, **kwargs: Any) -> None:
        super().__init__({"width": width, "heads": heads, "hidden": hidden}, **kwargs)
        self.width, self.heads, self.hidden = width, heads, hidden
        self.project, self.mix = keras.layers.Dense(3 * width), keras.layers.Dense(width)
        self.widen, self.narrow = keras.layers.Dense(hidden), keras.layers.Dense(width)
        self.norms = [keras.layers.LayerNormalization() for _ in range(2)]

    def build(self, shape: Any) -> None:
        for layer in (self.project, self.mix, self.widen, *self.norms):
            _build(layer, shape)
        _build(self.narrow, (*shape[:2], self.hidden))

    def call(self, x: Any) -> Any:
        x = self.norms[0](x + self._attention(x))
        return self.norms[1](x + self.narrow(_gelu(self.widen(x))))

    def _attention(self, x: Any) -> Any:
        size = self.width // self.heads
        apart = ops.reshape(self.project(x), (-1, x.shape[1], 3, self.heads, size))
        q, k, v = ops.unstack(ops.transpose(apart, (2, 0, 3, 1, 4)), 3)  # [M, heads, K, size] each
        weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / size**0.5, axis=-1)
        together = ops.reshape(ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3)), (-1, x.shape[1], self.width))
        return self.mix(together)

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


@register
class DiagonalStateSpace(_Made):
    """A diagonal state space for each channel, as a convolution, mixed, gated, added and normalised: [N, T, width].

    Its kernel [width, T] is 2 Re sum_m C_m (exp(dt A_m) - 1) / A_m exp(dt A_m l), in real numbers: A = -exp(a) + i w.
    """

    def __init__(self, width: int, modes: int, **kwargs: Any) -> None:
        super().__init__({"width": width, "modes": modes}, **kwargs)
        self.width, self.modes = width, modes
        self.mix, self.norm = keras.layers.Dense(2 * width), keras.layers.LayerNormalization()

    def build(self, shape: Any) -> None:
        for name, value in initial.diagonal_state_space(self.width, self.modes).items():
            setattr(self, name, self.add_weight(shape=value.shape, initializer=_at(value), name=name))
        _build(self.mix, shape)
        _build(self.norm, shape)

    def call(self, x: Any) -> Any:
        y = ops.transpose(ops.matmul(ops.transpose(x, (2, 0, 1)), self._lagged(x.shape[1])), (1, 2, 0))
        value, gate = ops.split(self.mix(_gelu(y + self.D * x)), 2, axis=-1)
        return self.norm(x + value * ops.sigmoid(gate))

    def kernel(self, steps: int) -> Any:
        """The response to an impulse, [width, steps]."""
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

    def _lagged(self, steps: int) -> Any:
        """The kernel as matrices [width, from, to]: each row is the one before, a step later."""
        kernel = self.kernel(steps)
        row = ops.concatenate([kernel, ops.zeros_like(kernel)], axis=1)
        rows = ops.tile(row, (1, steps))[:, : steps * (2 * steps - 1)]
        return ops.reshape(rows, (self.width, steps, 2 * steps - 1))[:, :, :steps]

    def compute_output_shape(self, shape: Any) -> Any:
        return shape
