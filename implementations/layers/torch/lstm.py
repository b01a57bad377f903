"""Keras' LSTM in PyTorch, and two of them as one. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from implementations import framework_defaults as defaults
from implementations import incremental
from implementations.incremental import State
from implementations.layers.torch.initializers import glorot, orthogonal
from implementations.layers.torch.recurrent import BySize


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
