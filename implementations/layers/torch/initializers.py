"""The starting weights of PyTorch's layers, drawn by NumPy: see `implementations.initializers`."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from implementations import initializers


def glorot(inputs: int, outputs: int) -> nn.Parameter:
    """Draw a kernel [outputs, inputs]: Keras' [inputs, outputs], transposed."""
    return _transposed(initializers.glorot_uniform(initializers.current(), (inputs, outputs)))


def orthogonal(units: int, outputs: int) -> nn.Parameter:
    """Draw a recurrent kernel [outputs, units], orthogonal as a whole: Keras' [units, outputs], transposed."""
    return _transposed(initializers.orthogonal(initializers.current(), (units, outputs)))


def convolution(width: int, channels: int, filters: int) -> nn.Parameter:
    """Draw a kernel [filters, channels, width]: Keras' [width, channels, filters], transposed."""
    return _transposed(initializers.glorot_uniform(initializers.current(), (width, channels, filters)))


def uniform(shape: tuple[int, ...], low: float, high: float) -> nn.Parameter:
    """Draw numbers between two."""
    return nn.Parameter(torch.from_numpy(initializers.uniform(initializers.current(), shape, low, high)))


def _transposed(kernel: np.ndarray) -> nn.Parameter:
    axes = tuple(reversed(range(kernel.ndim)))
    return nn.Parameter(torch.from_numpy(kernel).permute(axes).contiguous())
