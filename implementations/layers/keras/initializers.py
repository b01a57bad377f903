"""The starting weights of Keras' layers, drawn by NumPy: see `implementations.initializers`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from implementations import initializers
from implementations.layers.keras.base import Shape, Tensor, register


@register
class GlorotUniform(keras.initializers.Initializer):
    """Keras' default for kernels, drawn by NumPy."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Tensor:
        return ops.convert_to_tensor(initializers.glorot_uniform(initializers.current(), shape), dtype)


@register
class Orthogonal(keras.initializers.Initializer):
    """Keras' default for recurrent kernels, drawn by NumPy."""

    def __call__(self, shape: Shape, dtype: str | None = None) -> Tensor:
        return ops.convert_to_tensor(initializers.orthogonal(initializers.current(), shape), dtype)


DEFAULTS = {"glorot_uniform": GlorotUniform, "orthogonal": Orthogonal}  # what layers name, and what they get


@register
class ForgetBias(keras.initializers.Initializer):
    """The bias of an LSTM's gates (input, forget, candidate, output): zero, and `value` for the forget gate."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, shape: Shape, dtype: str | None = None) -> Tensor:
        units = shape[0] // 4
        return ops.concatenate([ops.zeros(units), ops.full((units,), self.value), ops.zeros(2 * units)])

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value}


def starting_at(start: np.ndarray) -> Tensor:
    """Return an initialiser that starts a weight at these values."""
    return lambda shape, dtype: ops.cast(ops.convert_to_tensor(start), dtype)
