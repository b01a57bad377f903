"""Keras' simple recurrent layer and GRU in PyTorch. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations.incremental import State
from implementations.layers.torch import recurrence
from implementations.layers.torch.activations import ACTIVATIONS
from implementations.layers.torch.cells import Cell, loop


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
