"""Keras' recurrent layers in PyTorch. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import framework_defaults as defaults
from implementations import incremental
from implementations.incremental import State
from implementations.layers.torch import recurrence
from implementations.layers.torch.activations import ACTIVATIONS
from implementations.layers.torch.cells import Cell, loop
from implementations.layers.torch.initializers import glorot, orthogonal


class BySize:
    """A layer that is read in one of two ways, whichever is faster for its size: see docs/performance.md."""

    large: int  # units from which on the library's kernel for one layer is taken on a CPU
    much: int  # or, in training, units x units x series: the products of a step for one gate

    @classmethod
    def takes_own_kernel(cls, device: str, units: int, series: int = 0) -> bool:
        """Say whether PyTorch's own kernel is faster: on a GPU it is one call, and ours are dozens for each step.

        series: in a batch of training; 0 in forecasts, which are then the same however many are asked for at once.
        """
        return device == "cuda" or units >= cls.large or units**2 * series >= cls.much


class SeriesLast(BySize, Cell):
    """A recurrent layer computed with the series last and its gradient by hand, see torch_bptt; state: its outputs.

    Or by PyTorch's own kernel, where that is faster.
    """

    memory = inf
    return_sequences: bool
    activation: str
    much = 2**20
    in_kernel: tuple[str, ...] = ("tanh",)  # the activations that it has

    def forward(self, x: Tensor) -> Tensor:
        return self.advance(x, None)[0]

    def advance(self, new: Tensor, state: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        series = len(new) if self.training else 0
        has_kernel = self.activation in self.in_kernel and self.takes_own_kernel(new.device.type, self.units, series)
        if state is None and has_kernel:
            states = self.own_kernel(new.transpose(0, 1), new.new_zeros(1, len(new), self.units))
            outputs, state = states.transpose(0, 1), states[-1]
        elif state is None:  # the whole history at once
            states = self.series_last(new.permute(1, 2, 0))
            outputs, state = states.permute(2, 0, 1), states[-1].mT
        else:
            outputs, state = loop(self, new, state)
        return outputs if self.return_sequences else outputs[:, -1], state

    def series_last(self, x: Tensor) -> Tensor:
        """Return the states at every step, [T, h, N], for x [T, D, N]."""
        raise NotImplementedError

    def own_kernel(self, x: Tensor, zeros: Tensor) -> Tensor:
        """Return the same, [T, N, h], for x [T, N, D] and the first state [1, N, h], by PyTorch's own kernel."""
        raise NotImplementedError


class SimpleRNN(SeriesLast):
    """h_t = f(W x_t + U h_{t-1} + b)."""

    bias: nn.Parameter
    large = 256
    in_kernel = ("tanh", "relu")

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
        return recurrence.SimpleRecurrence.apply(x, self.kernel, self.recurrent_kernel, self.bias, self.activation)

    def own_kernel(self, x: Tensor, zeros: Tensor) -> Tensor:
        kernel = {"tanh": torch.rnn_tanh, "relu": torch.rnn_relu}[self.activation]
        weights: list[Tensor] = [self.kernel, self.recurrent_kernel, self.bias, torch.zeros_like(self.bias)]
        return kernel(x, zeros, weights, True, 1, 0.0, self.training, False, False)[0]

    def step(self, net: Tensor, state: State) -> tuple[Tensor, State]:
        state = ACTIVATIONS[self.activation](self.recur(net, state))
        return state, state


class GRU(SeriesLast):
    """Gates in the order reset, update, candidate, each with two biases, as in Keras with reset_after."""

    bias: nn.Parameter
    large = 96  # ours has four products for three

    def __init__(self, channels: int, units: int, *, return_sequences: bool = True, activation: str = "tanh") -> None:
        super().__init__(channels, units, gates=3)
        self.activation = activation
        self.recurrent_bias = nn.Parameter(torch.zeros(3 * units))
        self.return_sequences = return_sequences
        for weight in (self.kernel, self.recurrent_kernel):  # Keras draws them in the order update, reset, candidate
            update, reset, candidate = weight.detach().chunk(3)
            weight.data = torch.cat([reset, update, candidate])

    def series_last(self, x: Tensor) -> Tensor:
        return recurrence.GatedRecurrence.apply(x, *self._of_four_nets(), self.activation)

    def own_kernel(self, x: Tensor, zeros: Tensor) -> Tensor:
        weights: list[Tensor] = [self.kernel, self.recurrent_kernel, self.bias, self.recurrent_bias]
        return torch.gru(x, zeros, weights, True, 1, 0.0, self.training, False, False)[0]

    def step(self, net: Tensor, state: State) -> tuple[Tensor, State]:
        by_state = F.linear(state, self.recurrent_kernel, self.recurrent_bias)
        (r_x, z_x, n_x), (r_h, z_h, n_h) = net.chunk(3, dim=1), by_state.chunk(3, dim=1)
        n = ACTIVATIONS[self.activation](n_x + torch.sigmoid(r_x + r_h) * n_h)
        state = torch.lerp(n, state, torch.sigmoid(z_x + z_h))
        return state, state

    def _of_four_nets(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return weights with rows for reset, update, candidate of x, candidate of h: the reset acts on the last."""

        def of_h(weights: Tensor) -> Tensor:
            gates, candidate = weights.split([2 * self.units, self.units])
            return torch.cat([gates, torch.zeros_like(candidate), candidate])

        W = F.pad(self.kernel, (0, 0, 0, self.units))
        return W, of_h(self.recurrent_kernel), F.pad(self.bias, (0, self.units)) + of_h(self.recurrent_bias)


class LSTM(nn.Module):
    """Gates in the order input, forget, candidate, output; the forget gate's bias starts at `forget_bias`."""

    memory = inf

    def __init__(
        self,
        channels: int,
        units: int,
        *,
        return_sequences: bool = True,
        forget_bias: float = defaults.FORGET_BIAS,
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

    def advance(self, new: Tensor, state: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        if state is None:
            zeros = new.new_zeros(1, len(new), self.layer.hidden_size)
            state = zeros, zeros
        outputs, state = _lstm(new.transpose(0, 1), state, self.layer._flat_weights, self.training)
        outputs = outputs.transpose(0, 1)
        return outputs if self.return_sequences else outputs[:, -1], state


def _lstm(x: Tensor, state: State, weights: list[Tensor], training: bool) -> tuple[Tensor, State]:
    """Return one layer's outputs for x [T, N, D] after the state (h, c), each [1, N, units], and the state then.

    Without the checks of nn.LSTM's own call: 4 % of a training step.
    """
    outputs, *state = torch.lstm(
        x, state, weights, has_biases=True, num_layers=1, dropout=0.0, train=training, bidirectional=False,
        batch_first=False,
    )  # fmt: skip
    return outputs, state


class StackedLSTM(BySize, nn.Module):
    """Two LSTM layers, [N, T, units], read as one layer of twice the units in which the second is a step behind.

    Its step t is step t of the first layer and step t - 1 of the second, which then knows all that it needs: there are
    T + 1 steps instead of 2 T, and oneDNN's kernel is called once. An input more, 1 at the first step and 0 after it,
    keeps the second layer's gates shut there, so that it begins at zero, a step later.
    """

    memory = inf
    large, much = 32, 2**15  # as two layers, one after the other

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
        if self.takes_own_kernel("cpu", self.units, len(x) if self.training else 0):
            return self.advance(x, None)[0]
        seen = F.pad(x.transpose(0, 1), (0, 1, 0, 0, 0, 1))
        seen[0, :, -1] = 1
        zeros = x.new_zeros(1, len(x), 2 * self.units)
        outputs = _lstm(seen, (zeros, zeros), self._as_one(), self.training)[0]
        second = outputs[1:, :, self.units :].transpose(0, 1)
        return second if self.return_sequences else second[:, -1]

    def advance(self, new: Tensor, state: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the layers' states (None: none yet), and the states then."""
        return incremental.advance(self.layers, new, state)

    def _as_one(self) -> list[Tensor]:
        """Return kernels [8 units, D + 1] and [8 units, 2 units] and biases [8 units] of both layers, gate by gate."""
        (W, U, *biases), (W_2, U_2, *biases_2) = (
            [weight.unflatten(0, (4, -1)) for weight in layer.layer._flat_weights] for layer in self.layers
        )
        of_input = torch.cat([F.pad(W, (0, 1)), self.shut], 1)
        of_state = torch.cat([F.pad(U, (0, self.units)), torch.cat([W_2, U_2], 2)], 1)
        both = (torch.cat(pair, 1) for pair in zip(biases, biases_2, strict=True))
        return [weight.flatten(0, 1) for weight in (of_input, of_state, *both)]
