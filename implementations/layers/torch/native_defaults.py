"""PyTorch's own defaults for the layers that were built with Keras': see `implementations.framework_defaults`."""

from __future__ import annotations

from math import sqrt
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from implementations import framework_defaults as defaults
from implementations.layers.torch.cells import LSTMCell
from implementations.layers.torch.convolution import Conv1D
from implementations.layers.torch.normalization import BatchNormalization
from implementations.layers.torch.recurrent import SimpleRNN

TWO_BIASES = (SimpleRNN, LSTMCell)  # layers that PyTorch has, with one more bias


def make_native(network: nn.Module, one_bias: bool = False) -> None:
    """Give a PyTorch network, fresh from its builder, PyTorch's own starting values and constants.

    What a method chooses stays: a recurrent kernel at the identity, a forget bias other than Keras', zero peepholes.

    one_bias: no second bias where PyTorch has two, for methods with their own gradient rule.
    """
    for module in list(network.modules()):
        convert(module, one_bias)


@torch.no_grad()
def convert(module: Any, one_bias: bool) -> None:
    """Change a layer in place, by its type; nothing for those without defaults."""
    if isinstance(module, nn.Linear):
        nn.Linear.reset_parameters(module)
    elif isinstance(module, Conv1D):
        draw(1 / sqrt(module.kernel[0].numel()), module.kernel, module.bias)
    elif isinstance(module, nn.LayerNorm):
        module.eps = defaults.TORCH_LAYER_NORM_EPSILON
    elif isinstance(module, BatchNormalization):
        module.momentum, module.epsilon = (
            defaults.TORCH_BATCH_NORM_MOMENTUM,
            defaults.TORCH_BATCH_NORM_EPSILON,
        )
        module.__class__ = UnbiasedBatchNormalization
    elif isinstance(module, nn.LSTM):
        convert_lstm(module)
    elif hasattr(module, "recurrent_kernel"):
        convert_cell(module, one_bias)


def draw(bound: float, *weights: Tensor | None) -> None:
    """Fill the weights with uniform numbers within the bound."""
    for weight in weights:
        if weight is not None:
            nn.init.uniform_(weight, -bound, bound)


def convert_lstm(layer: Any) -> None:
    """Draw the weights again, and let both biases learn."""
    forget = chosen_forget_bias(layer.bias_ih_l0)
    layer.reset_parameters()
    layer.bias_hh_l0.requires_grad_(True)
    set_forget_bias(forget, layer.bias_ih_l0, layer.bias_hh_l0)


def convert_cell(cell: Any, one_bias: bool) -> None:
    """Draw kernels and biases of a recurrent layer of ours again, with a second bias where PyTorch has two."""
    named: Any = cell
    forget = chosen_forget_bias(cell.bias) if isinstance(cell, LSTMCell) else None
    kernel = cell.recurrent_kernel
    identity = kernel.shape[0] == kernel.shape[1] and torch.equal(kernel, torch.eye(len(kernel)))
    draw(1 / sqrt(cell.units), cell.kernel, cell.bias, getattr(cell, "recurrent_bias", None))
    if not identity:
        draw(1 / sqrt(cell.units), kernel)
    if isinstance(cell, TWO_BIASES) and not one_bias:
        parametrize.register_parametrization(cell, "bias", SumOfTwo(1 / sqrt(cell.units)))
        both = named.parametrizations.bias
        set_forget_bias(forget, both.original0, both.original1)
    else:
        set_forget_bias(forget, cell.bias)


def chosen_forget_bias(bias: Any) -> float | None:
    """Return what a method sets the forget gate's bias to, [4 units]; None where it is Keras' default."""
    value = float(bias[len(bias) // 4])
    return None if value == defaults.FORGET_BIAS else value


def set_forget_bias(value: float | None, bias: Tensor, *others: Tensor) -> None:
    """Start the forget gate at the value."""
    if value is not None:
        gate = slice(len(bias) // 4, len(bias) // 2)
        bias[gate] = value
        for other in others:
            other[gate] = 0


class SumOfTwo(nn.Module):
    """A bias that is the sum of two which both learn, as PyTorch's recurrent layers have it: of x, and of h."""

    def __init__(self, bound: float) -> None:
        super().__init__()
        self.bound = bound

    def forward(self, of_x: Tensor, of_h: Tensor) -> Tensor:
        return of_x + of_h

    def right_inverse(self, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return the bias as it is drawn, and another one."""
        return bias, torch.empty_like(bias).uniform_(-self.bound, self.bound)


class UnbiasedBatchNormalization(BatchNormalization):
    """Batch normalisation whose moving variance follows that of each batch divided by n - 1."""

    def forward(self, x: Tensor) -> Tensor:
        before = self.moving_variance.clone()
        outputs = super().forward(x)
        if self.training:
            count = x.numel() // x.shape[-1]
            added = self.moving_variance - self.momentum * before  # (1 - momentum) times the biased variance
            self.moving_variance.add_(added, alpha=1 / (count - 1))
        return outputs
