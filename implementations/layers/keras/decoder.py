"""An encoder and a decoder as one layer, where the second is started by the first or reads its own forecasts."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from implementations.layers.keras.base import Configured, Shape, Tensor, build, register
from implementations.layers.keras.recurrent import SimpleRNN
from implementations.layers.keras.scan import scan


@register
class Decoded(Configured):
    """Read the history into a code, and write H steps from it: [N, T, D] -> [N, H D].

    feed_back: each step reads the forecast before it, the first the last value; hand_over: the code is the first state.
    steps: T, where more than T steps are teacher forcing: the decoder reads those instead of its forecasts.
    """

    def __init__(
        self, units: int, horizon: int, channels: int, feed_back: bool, hand_over: bool, steps: int | None = None,
        **kwargs: Any,
    ) -> None:  # fmt: skip
        arguments = {"units": units, "horizon": horizon, "channels": channels, "steps": steps}
        super().__init__({**arguments, "feed_back": feed_back, "hand_over": hand_over}, **kwargs)
        self.steps = steps
        self.units, self.horizon, self.channels = units, horizon, channels
        self.feed_back, self.hand_over = feed_back, hand_over
        self.encoder = SimpleRNN(units)
        self.project, self.head = keras.layers.Dense(units), keras.layers.Dense(channels)

    def build(self, shape: Shape) -> None:
        build(self.encoder, shape)
        build(self.project, (None, self.units + (self.channels if self.feed_back else 0)))
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        build(self.head, (None, self.units))

    def call(self, x: Tensor) -> Tensor:
        taught = self.steps is not None and x.shape[1] is not None and x.shape[1] > self.steps
        truth, x = (x[:, self.steps :], x[:, : self.steps]) if taught else (None, x)
        code = self.encoder(x)

        def step(carried: Any, at_step: Any) -> tuple[Any, Any]:
            state, output = carried
            seen = ops.concatenate([code, output], axis=-1) if self.feed_back else code
            state = ops.tanh(self.project(seen) + ops.matmul(state, self.recurrent_kernel))
            output = self.head(state)
            return (state, at_step[0] if taught else output), output

        first = (code if self.hand_over else ops.zeros_like(code), x[:, -1])
        read = ops.transpose(truth, (1, 0, 2)) if taught else ops.zeros((self.horizon, 1), dtype=x.dtype)
        _, outputs = scan(step, first, (read,))
        return ops.reshape(ops.transpose(outputs, (1, 0, 2)), (-1, self.horizon * self.channels))

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (shape[0], self.horizon * self.channels)
