"""Residual blocks: of WaveNet, of temporal convolutional networks, of N-BEATS and N-HiTS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.bases import basis
from implementations.layers.keras.activations import sigmoid
from implementations.layers.keras.base import Configured, Shape, Tensor, build, register
from implementations.layers.keras.convolution import Conv1D


@register
class GatedStack(keras.layers.Layer):
    """WaveNet's residual blocks, one per dilation d; returns the sum of their skip outputs s, [N, T, filters].

    z = tanh(W_f *_d x) * sigmoid(W_g *_d x); s = V z; the next block's x is x + s. tanh_twice applies tanh again to the
    first factor, as the reference's code does.
    """

    def __init__(self, filters: int, dilations: list[int], tanh_twice: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.dilations, self.tanh_twice = filters, list(dilations), tanh_twice
        self.gates = [Conv1D(2 * filters, 2, padding="causal", dilation_rate=d) for d in dilations]
        self.mixes = [Conv1D(filters, 1) for _ in dilations]

    def build(self, shape: Shape) -> None:
        for layer in self.gates + self.mixes:
            if not layer.built:  # loaded ones are
                layer.build((*shape[:2], self.filters))

    @property
    def memory(self) -> int:
        """Count the earlier steps that an output depends on."""
        return sum(self.dilations)

    def call(self, x: Tensor) -> Tensor:
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
        skips = []
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            f, g = ops.split(gated(gate, x), 2, axis=-1)
            f = ops.tanh(ops.tanh(f)) if self.tanh_twice else ops.tanh(f)
            skips.append(mix(f * sigmoid(g)))
            x = x + skips[-1]
        return sum(skips)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters, "dilations": self.dilations, "tanh_twice": self.tanh_twice,
        }  # fmt: skip


@register
class TemporalBlock(Configured):
    """max(0, x + F(x)), F two causal dilated convolutions with ReLU: [N, T, D] -> [N, T, filters]."""

    def __init__(self, filters: int, width: int, dilation: int, narrow: bool = False, **kwargs: Any) -> None:
        super().__init__({"filters": filters, "width": width, "dilation": dilation, "narrow": narrow}, **kwargs)
        self.filters = filters
        how = {"padding": "causal", "dilation_rate": dilation, "activation": "relu"}
        self.convolutions = [Conv1D(filters, width, **how) for _ in range(2)]
        self.shortcut = [Conv1D(filters, 1)] if narrow else []  # where x has another width

    def build(self, shape: Shape) -> None:
        first, second = self.convolutions
        build(first, shape)
        build(second, (*shape[:2], self.filters))
        for layer in self.shortcut:
            build(layer, shape)

    @property
    def memory(self) -> float:
        """Count the earlier steps that an output depends on."""
        return sum(layer.memory for layer in self.convolutions)

    def call(self, x: Tensor) -> Tensor:
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
        return ops.relu(x + residual)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], self.filters)


@register
class DoublyResidual(Configured):
    """Blocks that each take what they explain off the history, and add to the forecast: [M, T] -> [M, H].

    blocks: for each its basis (see `bases`), how many steps ahead share a knot, and how many steps back are pooled.
    """

    def __init__(
        self, horizon: int, blocks: list[list[Any]], layers: int, width: int, **kwargs: Any
    ) -> None:  # fmt: skip
        super().__init__({"horizon": horizon, "blocks": blocks, "layers": layers, "width": width}, **kwargs)
        self.horizon, self.blocks, self.layers_each, self.width = horizon, [list(one) for one in blocks], layers, width
        self.hidden = [keras.layers.Dense(width, activation="relu") for _ in range(layers * len(blocks))]

    def build(self, shape: Shape) -> None:
        steps = shape[1]
        self.bases = [basis(kind, every, steps, self.horizon) for kind, every, _ in self.blocks]
        self.thetas = [keras.layers.Dense(len(back)) for back, _ in self.bases]
        for number, (_, _, pool) in enumerate(self.blocks):
            width = -(-steps // pool)
            for layer in self._of(number):
                build(layer, (None, width))
                width = self.width
            build(self.thetas[number], (None, width))

    def _of(self, number: int) -> list[keras.layers.Layer]:
        return self.hidden[number * self.layers_each : (number + 1) * self.layers_each]

    def call(self, x: Tensor) -> Tensor:
        forecast: Tensor = 0
        for number, (_, _, pool) in enumerate(self.blocks):
            hidden = _pooled(x, pool)
            for layer in self._of(number):
                hidden = layer(hidden)
            theta = self.thetas[number](hidden)
            back, ahead = (ops.cast(ops.convert_to_tensor(matrix), x.dtype) for matrix in self.bases[number])
            forecast = forecast + ops.matmul(theta, ahead)
            x = x - ops.matmul(theta, back)
        return forecast

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.horizon)


def _pooled(x: Tensor, width: int) -> Tensor:
    """Take the largest of each `width` steps of [M, T]; the last group may have fewer."""
    if width == 1:
        return x
    missing = -x.shape[1] % width
    filled = ops.concatenate([x, ops.repeat(x[:, -1:], missing, 1)], axis=1) if missing else x
    return ops.max(ops.reshape(filled, (-1, filled.shape[1] // width, width)), axis=2)
