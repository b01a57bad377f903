"""Keras' layers in PyTorch: the same layout [N, T, channels], initialisers and constants, and those that both lack."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import carrying, defaults, initial
from implementations.blocks import torch_bptt as bptt

ACTIVATIONS: dict[str | None, Callable[[Tensor], Tensor]] = {
    None: lambda x: x,
    "linear": lambda x: x,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "softmax": lambda x: torch.softmax(x, dim=-1),
}


def glorot(inputs: int, outputs: int) -> nn.Parameter:
    """A kernel [outputs, inputs]: Keras' [inputs, outputs], transposed."""
    return nn.Parameter(torch.from_numpy(initial.glorot_uniform((inputs, outputs))).T.contiguous())


def orthogonal(units: int, outputs: int) -> nn.Parameter:
    """A recurrent kernel [outputs, units], orthogonal as a whole: Keras' [units, outputs], transposed."""
    return nn.Parameter(torch.from_numpy(initial.orthogonal((units, outputs))).T.contiguous())


class Dense(nn.Linear):
    """Glorot uniform weights and zero bias, applied at every step."""

    def reset_parameters(self) -> None:
        self.weight = glorot(self.in_features, self.out_features)
        nn.init.zeros_(self.bias)


class Conv1D(nn.Module):
    """A convolution over time, [N, T, channels] -> [N, T', filters]; causal: padded on the left, T' = T.

    Strides end at the newest step.
    """

    def __init__(
        self, channels: int, filters: int, width: int, *, stride: int = 1, dilation: int = 1,
        causal: bool = False, activation: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.lags, self.stride = range(0, dilation * width, dilation), stride
        self.causal = causal
        self.activation = ACTIVATIONS[activation]
        kernel = torch.from_numpy(initial.glorot_uniform((width, channels, filters)))
        self.kernel = nn.Parameter(kernel.permute(2, 1, 0).contiguous())
        self.bias = nn.Parameter(torch.zeros(filters))

    @property
    def memory(self) -> float:
        """How many earlier steps an output depends on; without bound where strides leave some out."""
        return self.lags[-1] if self.stride == 1 else inf

    def forward(self, x: Tensor) -> Tensor:
        return self._over(F.pad(x, (0, 0, self.lags[-1], 0)) if self.causal else x)

    def advance(self, new: Tensor, earlier: Tensor | None) -> tuple[Tensor, Tensor]:
        """Its outputs for new steps [N, S, D], after the earlier ones in memory (None: none yet), and those then."""
        if earlier is None:
            earlier = new.new_zeros(len(new), self.lags[-1], new.shape[2])
        seen = torch.cat([earlier, new], dim=1)
        return self._over(seen), seen[:, seen.shape[1] - self.lags[-1] :]

    def _over(self, x: Tensor) -> Tensor:
        """One matrix product: for series this short and narrow, cheaper than PyTorch's convolution."""
        steps = x.shape[1] - self.lags[-1]
        first = (steps - 1) % self.stride
        seen = [x[:, first + lag : steps + lag : self.stride] for lag in self.lags]
        return self.activation(F.linear(torch.cat(seen, dim=2), self.kernel.mT.flatten(1), self.bias))


class LSTM(nn.Module):
    """Gates in the order input, forget, candidate, output; the forget gate's bias starts at `forget_bias`."""

    memory = inf

    def __init__(
        self, channels: int, units: int, *, return_sequences: bool = True, forget_bias: float = defaults.FORGET_BIAS
    ) -> None:
        super().__init__()
        self.layer = cast(Any, nn.LSTM(channels, units))
        self.return_sequences = return_sequences
        # PyTorch adds two biases where Keras has one: two that learn would take double steps
        self.layer.bias_hh_l0.requires_grad_(False)
        self.layer.weight_ih_l0 = glorot(channels, 4 * units)
        self.layer.weight_hh_l0 = orthogonal(units, 4 * units)
        nn.init.zeros_(self.layer.bias_ih_l0)
        nn.init.zeros_(self.layer.bias_hh_l0)
        with torch.no_grad():
            self.layer.bias_ih_l0[units : 2 * units] = forget_bias

    def forward(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, new: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        if state is None:
            zeros = new.new_zeros(1, len(new), self.layer.hidden_size)
            state = zeros, zeros
        outputs, state = _lstm(new.transpose(0, 1), state, self.layer._flat_weights, self.training)
        outputs = outputs.transpose(0, 1)
        return outputs if self.return_sequences else outputs[:, -1], state


def _lstm(x: Tensor, state: Any, weights: list[Tensor], training: bool) -> tuple[Tensor, Any]:
    """One layer's outputs for x [T, N, D] after the state (h, c), each [1, N, units], and the state then.

    Without the checks of nn.LSTM's own call: 4 % of a training step.
    """
    outputs, *state = torch.lstm(
        x, state, weights, has_biases=True, num_layers=1, dropout=0.0, train=training, bidirectional=False,
        batch_first=False,
    )  # fmt: skip
    return outputs, state


class StackedLSTM(nn.Module):
    """Two LSTM layers, [N, T, units], read as one layer of twice the units in which the second is a step behind.

    Its step t is step t of the first layer and step t - 1 of the second, which then knows all that it needs: there are
    T + 1 steps instead of 2 T, and oneDNN's kernel is called once. An input more, 1 at the first step and 0 after it,
    keeps the second layer's gates shut there, so that it begins at zero, a step later.
    """

    memory = inf

    def __init__(self, channels: int, units: int, *, return_sequences: bool = True, **how: Any) -> None:
        super().__init__()
        layers = [LSTM(channels, units, **how), LSTM(units, units, return_sequences=return_sequences, **how)]
        self.layers = cast(list[LSTM], nn.ModuleList(layers))
        self.units, self.return_sequences = units, return_sequences
        shut = torch.zeros(4, units, channels + 1)
        shut[[0, 3], :, -1] = -40  # input and output gate: sigmoid(-40) is 4e-18; much less would be slow denormals
        self.shut: Tensor
        self.register_buffer("shut", shut, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        seen = F.pad(x.transpose(0, 1), (0, 1, 0, 0, 0, 1))
        seen[0, :, -1] = 1
        zeros = x.new_zeros(1, len(x), 2 * self.units)
        outputs = _lstm(seen, (zeros, zeros), self._as_one(), self.training)[0]
        second = outputs[1:, :, self.units :].transpose(0, 1)
        return second if self.return_sequences else second[:, -1]

    def advance(self, new: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, D], after the layers' states (None: none yet), and the states then."""
        return carrying.advance(self.layers, new, state)

    def _as_one(self) -> list[Tensor]:
        """Kernels [8 units, D + 1] and [8 units, 2 units] and the biases [8 units] of both layers, gate by gate."""
        (W, U, *biases), (W_2, U_2, *biases_2) = (
            [weight.unflatten(0, (4, -1)) for weight in layer.layer._flat_weights] for layer in self.layers
        )
        of_input = torch.cat([F.pad(W, (0, 1)), self.shut], 1)
        of_state = torch.cat([F.pad(U, (0, self.units)), torch.cat([W_2, U_2], 2)], 1)
        both = (torch.cat(pair, 1) for pair in zip(biases, biases_2, strict=True))
        return [weight.flatten(0, 1) for weight in (of_input, of_state, *both)]


class BatchNormalization(nn.Module):
    """Normalise each channel over the series and steps of a batch; the moving variance is the biased one."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.momentum, self.epsilon = defaults.BATCH_NORM_MOMENTUM, defaults.BATCH_NORM_EPSILON
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.moving_mean: Tensor
        self.moving_variance: Tensor
        self.register_buffer("moving_mean", torch.zeros(channels))
        self.register_buffer("moving_variance", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return self._normalise(x, self.moving_mean, self.moving_variance)
        axes = tuple(range(x.ndim - 1))
        variance, mean = torch.var_mean(x, dim=axes, correction=0)
        self.moving_mean.lerp_(mean.detach(), 1 - self.momentum)
        self.moving_variance.lerp_(variance.detach(), 1 - self.momentum)
        return self._normalise(x, mean, variance)

    def _normalise(self, x: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
        return (x - mean) * (torch.rsqrt(variance + self.epsilon) * self.gamma) + self.beta


class RepeatVector(nn.Module):
    """[N, units] -> [N, steps, units]."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        return x[:, None].expand(-1, self.steps, -1)


def loop(cell: Any, x: Tensor, state: Any = None) -> tuple[Tensor, Any]:
    """Run a cell over x [N, T, D], from a state (None: its first): its outputs [N, T, units], and the state then."""
    if state is None:
        state = cell.first_state(x.new_zeros(len(x), cell.units))
    outputs = []
    for net in cell.inputs(x):
        output, state = cell.step(net, state)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


class _Cell(nn.Module):
    """The weights of a recurrent layer. A loop needs `inputs` of all steps at once, `first_state` and `step`."""

    def __init__(
        self, channels: int, units: int, gates: int, bias: bool = True, recurrent_kernel: nn.Parameter | None = None
    ) -> None:
        super().__init__()
        self.units = units
        self.kernel = glorot(channels, gates * units)
        # one that is given is not drawn: the later layers' draws have to stay in step with Keras'
        self.recurrent_kernel = orthogonal(units, gates * units) if recurrent_kernel is None else recurrent_kernel
        self.bias = nn.Parameter(torch.zeros(gates * units)) if bias else None

    def inputs(self, x: Tensor) -> tuple[Tensor, ...]:
        """The part of the net input that depends on x alone, for each step."""
        return F.linear(x, self.kernel, self.bias).unbind(1)

    def first_state(self, zeros: Tensor) -> Any:
        """The state before the first step, of zeros [N, units]."""
        return zeros

    def recur(self, net: Tensor, state: Tensor) -> Tensor:
        """The whole net input of a step."""
        return torch.addmm(net, state, self.recurrent_kernel.T)


class _SeriesLast(_Cell):
    """A recurrent layer computed with the series last and its gradient by hand, see torch_bptt; state: its outputs."""

    memory = inf
    return_sequences: bool

    def forward(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, new: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        if state is None:  # the whole history at once
            states = self.series_last(new.permute(1, 2, 0))
            outputs, state = states.permute(2, 0, 1), states[-1].mT
        else:
            outputs, state = loop(self, new, state)
        return outputs if self.return_sequences else outputs[:, -1], state

    def series_last(self, x: Tensor) -> Tensor:
        """The states at every step, [T, h, N], for x [T, D, N]."""
        raise NotImplementedError


class SimpleRNN(_SeriesLast):
    """h_t = f(W x_t + U h_{t-1} + b)."""

    def __init__(
        self,
        channels: int,
        units: int,
        *,
        return_sequences: bool = True,
        activation: str = "tanh",
        identity: bool = False,
    ) -> None:
        recurrent_kernel = nn.Parameter(torch.eye(units)) if identity else None
        super().__init__(channels, units, gates=1, recurrent_kernel=recurrent_kernel)
        self.return_sequences, self.activation = return_sequences, activation

    def series_last(self, x: Tensor) -> Tensor:
        return bptt.SimpleRecurrence.apply(x, self.kernel, self.recurrent_kernel, self.bias, self.activation)

    def step(self, net: Tensor, state: Any) -> tuple[Tensor, Any]:
        state = ACTIVATIONS[self.activation](self.recur(net, state))
        return state, state


class GRU(_SeriesLast):
    """Gates in the order reset, update, candidate, each with two biases, as in Keras with reset_after."""

    bias: nn.Parameter

    def __init__(self, channels: int, units: int, *, return_sequences: bool = True) -> None:
        super().__init__(channels, units, gates=3)
        self.recurrent_bias = nn.Parameter(torch.zeros(3 * units))
        self.return_sequences = return_sequences
        for weight in (self.kernel, self.recurrent_kernel):  # Keras draws them in the order update, reset, candidate
            update, reset, candidate = weight.detach().chunk(3)
            weight.data = torch.cat([reset, update, candidate])

    def series_last(self, x: Tensor) -> Tensor:
        return bptt.GatedRecurrence.apply(x, *self._of_four_nets())

    def step(self, net: Tensor, state: Any) -> tuple[Tensor, Any]:
        by_state = F.linear(state, self.recurrent_kernel, self.recurrent_bias)
        (r_x, z_x, n_x), (r_h, z_h, n_h) = net.chunk(3, dim=1), by_state.chunk(3, dim=1)
        n = torch.tanh(n_x + torch.sigmoid(r_x + r_h) * n_h)
        state = torch.lerp(n, state, torch.sigmoid(z_x + z_h))
        return state, state

    def _of_four_nets(self) -> tuple[Tensor, Tensor, Tensor]:
        """Weights with rows for reset, update, candidate from x, candidate from h: the reset acts on the last alone."""

        def of_h(weights: Tensor) -> Tensor:
            gates, candidate = weights.split([2 * self.units, self.units])
            return torch.cat([gates, torch.zeros_like(candidate), candidate])

        W = F.pad(self.kernel, (0, 0, 0, self.units))
        return W, of_h(self.recurrent_kernel), F.pad(self.bias, (0, self.units)) + of_h(self.recurrent_bias)


class LSTMCell(_Cell):
    """The cell of LSTM: state (h, c)."""

    def __init__(self, channels: int, units: int, forget_bias: float = defaults.FORGET_BIAS) -> None:
        super().__init__(channels, units, gates=4)
        with torch.no_grad():
            self.bias.data[units : 2 * units] = forget_bias  # type: ignore[union-attr]

    def first_state(self, zeros: Tensor) -> Any:
        return zeros, zeros

    def step(self, net: Tensor, state: Any) -> tuple[Tensor, Any]:
        h, c = state
        i, f, g, o = self.recur(net, h).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        return h, (h, c)


class LayerNormCell(_Cell):
    """A simple recurrent cell with layer normalisation of its net input, h_t = tanh(LN(W x_t + U h_{t-1})).

    normalise="output" normalises after the first tanh instead, as the notes' code does:
    h_t = tanh(LN(tanh(W x_t + U h_{t-1} + b))).
    """

    def __init__(self, channels: int, units: int, normalise: str = "input") -> None:
        super().__init__(channels, units, gates=1, bias=normalise == "output")
        self.normalise = normalise
        self.norm = nn.LayerNorm(units, eps=defaults.LAYER_NORM_EPSILON)

    def step(self, net: Tensor, state: Any) -> tuple[Tensor, Any]:
        net = self.recur(net, state)
        if self.normalise == "output":
            net = torch.tanh(net)
        state = torch.tanh(self.norm(net))
        return state, state


class PeepholeLSTM(_Cell):
    """An LSTM whose gates see the memory through diagonal weights v: c_{t-1} for i and f, c_t for o."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__(channels, units, gates=4)
        with torch.no_grad():
            self.bias[units : 2 * units] = defaults.FORGET_BIAS  # type: ignore[index]
        self.peephole = nn.Parameter(torch.zeros(3, units))

    def forward(self, x: Tensor) -> Tensor:
        weights = [self._candidate_first(weight) for weight in (self.kernel, self.recurrent_kernel, self.bias)]
        return bptt.PeepholeRecurrence.apply(x.permute(1, 2, 0), *weights, self.peephole).permute(2, 0, 1)

    @staticmethod
    def _candidate_first(weight: Any) -> Tensor:
        input_gate, forget_gate, candidate, output_gate = weight.chunk(4)
        return torch.cat([candidate, input_gate, forget_gate, output_gate])


class Loop(nn.Module):
    """A loop over time, written by hand: run a cell on each step and keep every output, [N, T, units]."""

    memory = inf

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        return loop(self.cell, x)[0]

    def advance(self, new: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        return loop(self.cell, new, state)


class DropoutRNN(_Cell):
    """A simple recurrent layer that drops inputs and state values in training, by a new mask at every step.

    h_t = tanh(W (m_t * x_t) + U (n_t * h_{t-1}) + b).
    """

    def __init__(self, channels: int, units: int, rate: float, recurrent_rate: float) -> None:
        super().__init__(channels, units, gates=1)
        self.rate, self.recurrent_rate = rate, recurrent_rate

    def forward(self, x: Tensor) -> Tensor:
        nets = self.inputs(F.dropout(x, self.rate, self.training))
        masks = F.dropout(x.new_ones(len(nets), len(x), self.units), self.recurrent_rate, self.training)
        state, outputs = x.new_zeros(len(x), self.units), []
        for net, mask in zip(nets, masks, strict=True):
            state = torch.tanh(self.recur(net, mask * state))
            outputs.append(state)
        return torch.stack(outputs, dim=1)


class GatedStack(nn.Module):
    """WaveNet's residual blocks, one per dilation d; returns the sum of their skip outputs s, [N, T, filters].

    z = tanh(W_f *_d x) * sigmoid(W_g *_d x); s = V z; the next block's x is x + s. tanh_twice applies tanh again to the
    first factor, as the notes' code does.
    """

    def __init__(self, filters: int, dilations: list[int], tanh_twice: bool = False) -> None:
        super().__init__()
        self.tanh_twice = tanh_twice
        self.gates = nn.ModuleList(Conv1D(filters, 2 * filters, 2, dilation=d, causal=True) for d in dilations)
        self.mixes = nn.ModuleList(Conv1D(filters, filters, 1) for _ in dilations)

    @property
    def memory(self) -> float:
        """How many earlier steps an output depends on."""
        return sum(gate.memory for gate in self.gates)  # type: ignore[misc]

    def forward(self, x: Tensor) -> Tensor:
        return self._through(x, lambda gate, x: gate(x))

    def advance(self, new: Tensor, states: Any) -> tuple[Tensor, Any]:
        """Its outputs for new steps [N, S, filters], after the gates' states (None: none yet), and the states then."""
        before, after = iter(states or [None] * len(self.gates)), []

        def gated(gate: Any, x: Tensor) -> Tensor:
            outputs, state = gate.advance(x, next(before))
            after.append(state)
            return outputs

        return self._through(new, gated), after

    def _through(self, x: Tensor, gated: Callable[[Any, Tensor], Tensor]) -> Tensor:
        skips: list[Tensor] = []
        for gate, mix in zip(self.gates, self.mixes, strict=True):
            f, g = gated(gate, x).chunk(2, dim=-1)
            f = torch.tanh(torch.tanh(f)) if self.tanh_twice else torch.tanh(f)
            skips.append(mix(f * torch.sigmoid(g)))
            x = x + skips[-1]
        return torch.stack(skips).sum(dim=0)


PER_STEP = (nn.Linear, nn.ReLU)  # layers whose output at a step depends on that step alone


def chain(network: nn.Module) -> list[nn.Module]:
    """The layers of a network that passes its input through one after the other."""
    if isinstance(network, nn.Sequential):
        return [one for layer in network for one in chain(layer)]
    return [network]
