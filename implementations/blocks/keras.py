"""Layers that Keras lacks. Sequences are [N, T, channels]."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from implementations import initial

Step = Callable[[Any, Any], tuple[Any, Any]]  # (carried, values of one step) -> (carried, output)

register = keras.saving.register_keras_serializable(package="aheadbench")


def scan(step: Step, carried: Any, sequences: tuple[Any, ...]) -> tuple[Any, Any]:
    """A loop over the first axis of the sequences, [T, ...] each: the last value carried, and the outputs stacked.

    keras.ops.scan, but for TensorFlow: there Keras 3.15 gives XLA no bound on the number of steps, so that no gradient
    can be compiled, and fails on values that are carried but not stacked.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.scan(step, carried, sequences)
    import tensorflow as tf

    steps = sequences[0].shape[0]
    inputs = [tf.TensorArray(sequence.dtype, steps).unstack(sequence) for sequence in sequences]

    def body(t: Any, carried: Any, outputs: Any) -> tuple[Any, Any, Any]:
        carried, output = step(carried, tuple(array.read(t) for array in inputs))
        return t + 1, carried, outputs.write(t, output)

    start = (tf.constant(0), carried, tf.TensorArray(sequences[0].dtype, steps))
    _, carried, outputs = tf.while_loop(lambda t, *_: t < steps, body, start, maximum_iterations=steps)
    return carried, outputs.stack()


@register
class GlorotUniform(keras.initializers.Initializer):
    """Keras' default for kernels, drawn by NumPy."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.convert_to_tensor(initial.glorot_uniform(shape), dtype)


@register
class Orthogonal(keras.initializers.Initializer):
    """Keras' default for recurrent kernels, drawn by NumPy."""

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return ops.convert_to_tensor(initial.orthogonal(shape), dtype)


DEFAULTS = {"glorot_uniform": GlorotUniform, "orthogonal": Orthogonal}  # what layers name, and what they get


@register
class ForgetBias(keras.initializers.Initializer):
    """The bias of an LSTM's gates (input, forget, candidate, output): zero, and `value` for the forget gate."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        units = shape[0] // 4
        return ops.concatenate([ops.zeros(units), ops.full((units,), self.value), ops.zeros(2 * units)])

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


@register
class Conv1D(keras.layers.Conv1D):
    """Keras' Conv1D, computed as one matrix product per kernel position.

    The same layer to the last rounding error, but strides end at the newest step, not start at the oldest. XLA's own
    convolution, in a compiled training loop on a CPU, took eight times as long for WaveNet's two-wide kernels.
    """

    def call(self, inputs: Any) -> Any:
        (width,), (dilation,), (stride,) = self.kernel_size, self.dilation_rate, self.strides
        if self.padding == "causal":
            inputs = ops.pad(inputs, [[0, 0], [dilation * (width - 1), 0], [0, 0]])
        steps = inputs.shape[1] - dilation * (width - 1)
        inputs, steps = inputs[:, (steps - 1) % stride :], steps - (steps - 1) % stride  # the newest steps count
        taps = [inputs[:, k * dilation : k * dilation + steps : stride] for k in range(width)]
        return self.activation(sum(ops.matmul(tap, self.kernel[k]) for k, tap in enumerate(taps)) + self.bias)


@register
class LayerNormCell(keras.layers.Layer):
    """A simple recurrent cell with layer normalisation of its net input, h_t = tanh(LN(W x_t + U h_{t-1})).

    normalise="output" normalises after the first tanh instead, as the notes' code does:
    h_t = tanh(LN(tanh(W x_t + U h_{t-1} + b))).
    """

    def __init__(self, units: int, normalise: str = "input", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.normalise, self.state_size = units, normalise, units
        self.norm = keras.layers.LayerNormalization()

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        if self.normalise == "output":
            self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")
        self.norm.build((None, self.units))

    def call(self, inputs: Any, states: Any) -> Any:
        net = ops.matmul(inputs, self.kernel) + ops.matmul(states[0], self.recurrent_kernel)
        if self.normalise == "output":
            net = ops.tanh(net + self.bias)
        state = ops.tanh(self.norm(net))
        return state, [state]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, self.units))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units, "normalise": self.normalise}


@register
class PeepholeLSTMCell(keras.layers.Layer):
    """An LSTM cell whose gates see the memory through diagonal weights v: c_{t-1} for i and f, c_t for o."""

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.state_size = units, [units, units]

    def build(self, shape: Any) -> None:
        units = self.units
        self.kernel = self.add_weight(shape=(shape[-1], 4 * units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(units, 4 * units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(4 * units,), initializer=ForgetBias(1.0), name="bias")
        self.peephole = self.add_weight(shape=(3, units), initializer="zeros", name="peephole")

    def call(self, inputs: Any, states: Any) -> Any:
        h, c = states
        net = ops.matmul(inputs, self.kernel) + ops.matmul(h, self.recurrent_kernel) + self.bias
        i, f, g, o = ops.split(net, 4, axis=-1)
        v_i, v_f, v_o = self.peephole[0], self.peephole[1], self.peephole[2]
        c_next = ops.sigmoid(f + v_f * c) * c + ops.sigmoid(i + v_i * c) * ops.tanh(g)
        h_next = ops.sigmoid(o + v_o * c_next) * ops.tanh(c_next)
        return h_next, [h_next, c_next]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, self.units)), ops.zeros((batch_size, self.units))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class Loop(keras.layers.Layer):
    """A loop over time, written by hand: run a cell on each step and keep every output, [N, T, units]."""

    def __init__(self, cell: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell

    def build(self, shape: Any) -> None:
        if not self.cell.built:  # a loaded one is
            self.cell.build((shape[0], shape[2]))

    def call(self, inputs: Any) -> Any:
        def step(states: Any, at_step: Any) -> Any:
            output, states = self.cell(at_step[0], states)
            return states, output

        start = self.cell.get_initial_state(batch_size=ops.shape(inputs)[0])
        _, outputs = scan(step, start, (ops.transpose(inputs, (1, 0, 2)),))
        return ops.transpose(outputs, (1, 0, 2))

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:2], self.cell.units)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "cell": keras.saving.serialize_keras_object(self.cell)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loop:
        return cls(keras.saving.deserialize_keras_object(config.pop("cell")), **config)


@register
class DropoutRNN(keras.layers.Layer):
    """A simple recurrent layer that drops inputs and state values in training, by a new mask at every step.

    h_t = tanh(W (m_t * x_t) + U (n_t * h_{t-1}) + b). Keras' SimpleRNN keeps one mask for all steps; with one
    channel it would blind the layer to a whole series at a time.
    """

    def __init__(self, units: int, rate: float, recurrent_rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units, self.rate, self.recurrent_rate = units, rate, recurrent_rate
        self.drop, self.drop_state = keras.layers.Dropout(rate), keras.layers.Dropout(recurrent_rate)

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Any, training: bool = False) -> Any:
        net = ops.transpose(ops.matmul(self.drop(inputs, training=training), self.kernel) + self.bias, (1, 0, 2))
        masks = self.drop_state(ops.ones_like(net), training=training)

        def step(state: Any, at_step: Any) -> Any:
            net, mask = at_step
            state = ops.tanh(net + ops.matmul(mask * state, self.recurrent_kernel))
            return state, state

        _, outputs = scan(step, ops.zeros_like(net[0]), (net, masks))
        return ops.transpose(outputs, (1, 0, 2))

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:2], self.units)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(), "units": self.units, "rate": self.rate, "recurrent_rate": self.recurrent_rate,
        }  # fmt: skip


@register
class GatedStack(keras.layers.Layer):
    """WaveNet's residual blocks, one per dilation d; returns the sum of their skip outputs s, [N, T, filters].

    z = tanh(W_f *_d x) * sigmoid(W_g *_d x); s = V z; the next block's x is x + s. tanh_twice applies tanh again to the
    first factor, as the notes' code does.
    """

    def __init__(self, filters: int, dilations: list[int], tanh_twice: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters, self.dilations, self.tanh_twice = filters, list(dilations), tanh_twice
        self.gates = [Conv1D(2 * filters, 2, padding="causal", dilation_rate=d) for d in dilations]
        self.mixes = [Conv1D(filters, 1) for _ in dilations]

    def build(self, shape: Any) -> None:
        for layer in self.gates + self.mixes:
            if not layer.built:  # loaded ones are
                layer.build((*shape[:2], self.filters))

    def call(self, x: Any) -> Any:
        skips = []
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            f, g = ops.split(gate(x), 2, axis=-1)
            f = ops.tanh(ops.tanh(f)) if self.tanh_twice else ops.tanh(f)
            skips.append(mix(f * ops.sigmoid(g)))
            x = x + skips[-1]
        return sum(skips)

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:2], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters, "dilations": self.dilations, "tanh_twice": self.tanh_twice,
        }  # fmt: skip
