"""Layers that Keras lacks. Sequences are [N, T, channels]."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import keras
from keras import ops

from implementations import initial
from implementations.blocks import keras_bptt as bptt
from implementations.blocks.keras_random import kept
from implementations.blocks.keras_scan import scan

register = keras.saving.register_keras_serializable(package="aheadbench")


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


def loop(cell: keras.layers.Layer, inputs: Any, states: Any = None) -> tuple[Any, Any]:
    """Run a cell over inputs [N, T, D] from states (None: its first): outputs [N, T, units], and the states then."""
    if states is None:
        states = cell.get_initial_state(batch_size=ops.shape(inputs)[0])

    def step(states: Any, at_step: Any) -> Any:
        output, states = cell(at_step[0], states)
        return states, output

    states, outputs = scan(step, states, (ops.transpose(inputs, (1, 0, 2)),))
    return ops.transpose(outputs, (1, 0, 2)), states


class _SeriesLast(keras.layers.RNN):
    """A recurrent layer of Keras', computed with the series last and its gradient by hand: see keras_bptt."""

    memory = inf

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        if initial_state is not None or mask is not None:
            raise ValueError(f"{self.name}: no initial_state or mask here; Keras' own layer takes them")
        return self.advance(sequences, None)[0]

    def advance(self, new: Any, states: Any) -> tuple[Any, Any]:
        """Its outputs for new steps [N, S, D], after the states (None: none yet), and the states then."""
        if states is None:
            states = self.cell.get_initial_state(batch_size=ops.shape(new)[0])
        over_time = self.series_last(ops.transpose(new, (1, 2, 0)), *[ops.transpose(state) for state in states])
        latest = [ops.transpose(state[-1]) for state in over_time]
        return ops.transpose(over_time[0], (2, 0, 1)) if self.return_sequences else latest[0], latest

    def series_last(self, x: Any, *first: Any) -> tuple[Any, ...]:
        """The states at every step, [T, h, N] each, for x [T, D, N] after the first ones, [h, N] each."""
        raise NotImplementedError


@register
class SimpleRNN(_SeriesLast, keras.layers.SimpleRNN):
    """h_t = f(W x_t + U h_{t-1} + b)."""

    def series_last(self, x: Any, *first: Any) -> tuple[Any, ...]:
        nets = bptt.project(x, self.cell.kernel, self.cell.bias)
        return (bptt.simple(nets, ops.transpose(self.cell.recurrent_kernel), *first, f=self.cell.activation),)


@register
class GRU(_SeriesLast, keras.layers.GRU):
    """Gates in the order update, reset, candidate; the reset acts after the matrix product."""

    def series_last(self, x: Any, *first: Any) -> tuple[Any, ...]:
        nets = bptt.project(x, self.cell.kernel, self.cell.bias[0])
        return (bptt.gru(nets, ops.transpose(self.cell.recurrent_kernel), self.cell.bias[1], *first),)


@register
class LSTM(_SeriesLast, keras.layers.LSTM):
    """Gates in the order input, forget, candidate, output."""

    def series_last(self, x: Any, *first: Any) -> tuple[Any, ...]:
        # times 1: values, as TensorFlow's custom gradients take no variables
        weights = [1 * weight for weight in (self.cell.kernel, self.cell.recurrent_kernel, self.cell.bias)]
        return tuple(bptt.lstm(x, *weights, *first))


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
    """Keras' Conv1D, computed as one matrix product.

    The same layer to the last rounding error, but strides end at the newest step, not start at the oldest. XLA's own
    convolution, in a compiled training loop on a CPU, took eight times as long for WaveNet's two-wide kernels. Inside,
    channels are first and series last, [C, T, N]: all steps of all series lie side by side, where 20 channels fill no
    whole number of registers. Between two such layers XLA drops the transpositions.
    """

    @property
    def memory(self) -> float:
        """How many earlier steps an output depends on; without bound where strides leave some out."""
        return self.dilation_rate[0] * (self.kernel_size[0] - 1) if self.strides == (1,) else inf

    def call(self, inputs: Any) -> Any:
        if self.padding == "causal":
            inputs = ops.pad(inputs, [[0, 0], [self.dilation_rate[0] * (self.kernel_size[0] - 1), 0], [0, 0]])
        return self._over(inputs)

    def advance(self, new: Any, earlier: Any) -> tuple[Any, Any]:
        """Its outputs for new steps [N, S, D], after the earlier ones in memory (None: none yet), and those then."""
        if earlier is None:
            earlier = ops.zeros((ops.shape(new)[0], self.memory, new.shape[2]))
        seen = ops.concatenate([earlier, new], axis=1)
        return self._over(seen), seen[:, seen.shape[1] - self.memory :]

    def _over(self, inputs: Any) -> Any:
        (width,), (dilation,), (stride,) = self.kernel_size, self.dilation_rate, self.strides
        steps = inputs.shape[1] - dilation * (width - 1)
        first = (steps - 1) % stride  # the newest step counts
        x, kernel = ops.transpose(inputs, (2, 1, 0)), ops.reshape(self.kernel, (-1, self.filters))
        taps = [x[:, first + k * dilation : k * dilation + steps : stride] for k in range(width)]
        seen = ops.concatenate(taps) if width > 1 else taps[0]
        nets = ops.matmul(ops.transpose(kernel), ops.reshape(seen, (kernel.shape[0], -1))) + self.bias[:, None]
        inside = self.activation is not keras.activations.softmax  # which goes over channels, and wants them last
        outputs = ops.reshape(self.activation(nets) if inside else nets, (self.filters, seen.shape[1], -1))
        outputs = ops.transpose(outputs, (2, 1, 0))
        return outputs if inside else self.activation(outputs)


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
        c_next = bptt.sigmoid(f + v_f * c) * c + bptt.sigmoid(i + v_i * c) * ops.tanh(g)
        h_next = bptt.sigmoid(o + v_o * c_next) * ops.tanh(c_next)
        return h_next, [h_next, c_next]

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        return [ops.zeros((batch_size, self.units)), ops.zeros((batch_size, self.units))]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@register
class Loop(keras.layers.Layer):
    """A loop over time, written by hand: run a cell on each step and keep every output, [N, T, units]."""

    memory = inf

    def __init__(self, cell: keras.layers.Layer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.cell = cell

    def build(self, shape: Any) -> None:
        if not self.cell.built:  # a loaded one is
            self.cell.build((shape[0], shape[2]))

    def call(self, inputs: Any) -> Any:
        return loop(self.cell, inputs)[0]

    def advance(self, new: Any, states: Any) -> tuple[Any, Any]:
        """Its outputs for new steps [N, S, D], after the states (None: none yet), and the states then."""
        return loop(self.cell, new, states)

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
        self.seeds = keras.random.SeedGenerator()

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), initializer="glorot_uniform", name="kernel")
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units), initializer="orthogonal", name="recurrent_kernel"
        )
        self.bias = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Any, training: bool = False) -> Any:
        if training:
            inputs = inputs * kept(self.seeds, inputs.shape, self.rate)
        net = ops.transpose(ops.matmul(inputs, self.kernel) + self.bias, (1, 0, 2))
        masks = kept(self.seeds, net.shape, self.recurrent_rate) if training else ops.ones_like(net)

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

    @property
    def memory(self) -> int:
        """How many earlier steps an output depends on."""
        return sum(self.dilations)

    def call(self, x: Any) -> Any:
        return self._through(x, lambda gate, x: gate(x))

    def advance(self, new: Any, states: Any) -> tuple[Any, Any]:
        """Its outputs for new steps [N, S, filters], after the gates' states (None: none yet), and the states then."""
        before, after = iter(states or [None] * len(self.gates)), []

        def gated(gate: Conv1D, x: Any) -> Any:
            outputs, state = gate.advance(x, next(before))
            after.append(state)
            return outputs

        return self._through(new, gated), after

    def _through(self, x: Any, gated: Callable[[Conv1D, Any], Any]) -> Any:
        skips = []
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            f, g = ops.split(gated(gate, x), 2, axis=-1)
            f = ops.tanh(ops.tanh(f)) if self.tanh_twice else ops.tanh(f)
            skips.append(mix(f * bptt.sigmoid(g)))
            x = x + skips[-1]
        return sum(skips)

    def compute_output_shape(self, shape: Any) -> Any:
        return (*shape[:2], self.filters)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters, "dilations": self.dilations, "tanh_twice": self.tanh_twice,
        }  # fmt: skip


PER_STEP = (keras.layers.Dense, keras.layers.ReLU)  # layers whose output at a step depends on that step alone


def chain(network: keras.layers.Layer) -> list[keras.layers.Layer]:
    """The layers of a network that passes its input through one after the other."""
    inner = [layer for layer in getattr(network, "layers", []) if not isinstance(layer, keras.layers.InputLayer)]
    if isinstance(network, keras.Sequential) or (isinstance(network, keras.Model) and len(inner) == 1):
        return [one for layer in inner for one in chain(layer)]
    return [network]
