"""Recurrent cells that Keras lacks, and a loop that runs a cell. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf
from typing import Any

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.keras.activations import sigmoid
from implementations.layers.keras.base import Shape, Tensor, register
from implementations.layers.keras.initializers import ForgetBias
from implementations.layers.keras.scan import scan


def loop(cell: keras.layers.Layer, inputs: Tensor, states: State = None) -> tuple[Tensor, State]:
    """Run a cell over inputs [N, T, D] from states (None: its first): return outputs [N, T, units] and the states."""
    if states is None:
        states = cell.get_initial_state(batch_size=ops.shape(inputs)[0])

    def step(states: State, at_step: Tensor) -> Tensor:
        output, states = cell(at_step[0], states)
        return states, output

    states, outputs = scan(step, states, (ops.transpose(inputs, (1, 0, 2)),))
    return ops.transpose(outputs, (1, 0, 2)), states


@register
class Loop(keras.layers.Layer):
    """A loop over time, written by hand: run a cell on each step and keep every output, [N, T, units]."""

    memory = inf

    def __init__(self, cell: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell

    def build(self, shape: Shape) -> None:
        if not self.cell.built:  # a loaded one is
            self.cell.build((shape[0], shape[2]))

    def call(self, inputs: Tensor) -> Tensor:
        return loop(self.cell, inputs)[0]

    def advance(self, new: Tensor, states: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the states (None: none yet), and the states then."""
        return loop(self.cell, new, states)

    def compute_output_shape(self, shape: Shape) -> Shape:
        return (*shape[:2], self.cell.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loop:
        return cls(keras.saving.deserialize_keras_object(config.pop("cell")), **config)


@register
class LayerNormCell(keras.layers.Layer):
    """A simple recurrent cell with layer normalisation of its net input, h_t = tanh(LN(W x_t + U h_{t-1})).

    normalise="output" normalises after the first tanh instead, as the reference's code does:
    h_t = tanh(LN(tanh(W x_t + U h_{t-1} + b))).
    """

    def __init__(self, units: int, normalise: str = "input", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.normalise, self.state_size = units, normalise, units
        self.norm = keras.layers.LayerNormalization()

    def build(self, shape: Shape) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        if self.normalise == "output":
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.norm.build((None, self.units))

    def call(self, inputs: Tensor, states: State) -> Tensor:
        net = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        if self.normalise == "output":
            net = ops.tanh(net + self.bias)
        state = ops.tanh(self.norm(net))
        return state, [state]

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        return [ops.zeros((batch_size, self.units))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "normalise": self.normalise}


@register
class PeepholeLSTMCell(keras.layers.Layer):
    """An LSTM cell whose gates see the memory through diagonal weights v: c_{t-1} for i and f, c_t for o."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]

    def build(self, shape: Shape) -> None:
        units = self.units
        self.kernel = self.add_weight(shape=(shape[-1], 4 * units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(units, 4 * units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(4 * units,), initializer=ForgetBias(1.0), name="bias")
        self.peephole = self.add_weight(shape=(3, units), initializer="zeros", name="peephole")

    def call(self, inputs: Tensor, states: State) -> Tensor:
        h, c = states
        net = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(net, 4, axis=-1)
        v_i, v_f, v_o = self.peephole[0], self.peephole[1], self.peephole[2]
        c_next = sigmoid(f + v_f * c) * c + sigmoid(i + v_i * c) * ops.tanh(g)
        h_next = sigmoid(o + v_o * c_next) * ops.tanh(c_next)
        return h_next, [h_next, c_next]

    def get_initial_state(self, batch_size: int | None = None) -> list[Tensor]:
        return [ops.zeros((batch_size, self.units)), ops.zeros((batch_size, self.units))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}
