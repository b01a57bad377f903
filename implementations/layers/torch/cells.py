"""Recurrent cells, a loop that runs a cell, and the LSTM with peepholes. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import framework_defaults as defaults
from implementations.incremental import State
from implementations.layers.torch import recurrence
from implementations.layers.torch.activations import ACTIVATIONS
from implementations.layers.torch.initializers import glorot, orthogonal


def loop(cell: Cell, x: Tensor, state: State = None) -> tuple[Tensor, State]:
    """Run a cell over x [N, T, D] from a state (None: its first); return outputs [N, T, units] and the state then."""
    if state is None:
        state = cell.first_state(x.new_zeros(len(x), cell.units))
    outputs = []
    for net in cell.inputs(x):
        output, state = cell.step(net, state)
        outputs.append(output)
    return torch.stack(outputs, dim=1), state


class Loop(nn.Module):
    """A loop over time, written by hand: run a cell on each step and keep every output, [N, T, units]."""

    memory = inf

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        return loop(self.cell, x)[0]

    def advance(self, new: Tensor, state: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the state (None: none yet), and the state then."""
        return loop(self.cell, new, state)


class Cell(nn.Module):
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
        """Return the part of the net input that depends on x alone, for each step."""
        return F.linear(x, self.kernel, self.bias).unbind(1)

    def first_state(self, zeros: Tensor) -> State:
        """Return the state before the first step, made of zeros [N, units]."""
        return zeros

    def step(self, net: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the output [N, units] of a step for the net input from x, and the state then."""
        raise NotImplementedError

    def recur(self, net: Tensor, state: Tensor) -> Tensor:
        """Return the whole net input of a step."""
        return torch.addmm(net, state, self.recurrent_kernel.T)


class LSTMCell(Cell):
    """The cell of LSTM: state (h, c)."""

    def __init__(
        self, channels: int, units: int, forget_bias: float = defaults.FORGET_BIAS, activation: str = "tanh"
    ) -> None:
        super().__init__(channels, units, gates=4)
        self.activation = ACTIVATIONS[activation]
        with torch.no_grad():
            self.bias.data[units : 2 * units] = forget_bias  # type: ignore[union-attr]

    def first_state(self, zeros: Tensor) -> State:
        return zeros, zeros

    def step(self, net: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        i, f, g, o = self.recur(net, h).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * self.activation(g)
        h = torch.sigmoid(o) * self.activation(c)
        return h, (h, c)


class LayerNormCell(Cell):
    """A simple recurrent cell with layer normalisation of its net input, h_t = tanh(LN(W x_t + U h_{t-1})).

    normalise="output" normalises after the first tanh instead, as the reference's code does:
    h_t = tanh(LN(tanh(W x_t + U h_{t-1} + b))).
    """

    def __init__(self, channels: int, units: int, normalise: str = "input") -> None:
        super().__init__(channels, units, gates=1, bias=normalise == "output")
        self.normalise = normalise
        self.norm = nn.LayerNorm(units, eps=defaults.LAYER_NORM_EPSILON)

    def step(self, net: Tensor, state: State) -> tuple[Tensor, State]:
        net = self.recur(net, state)
        if self.normalise == "output":
            net = torch.tanh(net)
        state = torch.tanh(self.norm(net))
        return state, state


class PeepholeLSTM(Cell):
    """An LSTM whose gates see the memory through diagonal weights v: c_{t-1} for i and f, c_t for o."""

    def __init__(self, channels: int, units: int) -> None:
        super().__init__(channels, units, gates=4)
        with torch.no_grad():
            self.bias[units : 2 * units] = defaults.FORGET_BIAS  # type: ignore[index]
        self.peephole = nn.Parameter(torch.zeros(3, units))

    def forward(self, x: Tensor) -> Tensor:
        weights = [self._candidate_first(weight) for weight in (self.kernel, self.recurrent_kernel, self.bias)]
        return recurrence.PeepholeRecurrence.apply(x.permute(1, 2, 0), *weights, self.peephole).permute(2, 0, 1)

    @staticmethod
    def _candidate_first(weight: Any) -> Tensor:
        input_gate, forget_gate, candidate, output_gate = weight.chunk(4)
        return torch.cat([candidate, input_gate, forget_gate, output_gate])
