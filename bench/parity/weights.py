"""The weights of each layer as Keras keeps them, read and replaced by layer type: the transplant between frameworks.

A network is a chain of layers. `Keras` and `Torch` see the same chain, with the same arrays in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

Arrays = list[np.ndarray]


class Keras:
    """A Keras model as a chain of layers; its arrays are the layout."""

    def __init__(self, network: Any) -> None:
        self.layers = [layer for layer in _chain(network) if type(layer).__name__ != "InputLayer"]

    def weights(self) -> list[Arrays]:
        """Return for each layer its arrays, trained and tracked."""
        return [[np.asarray(array) for array in layer.get_weights()] for layer in self.layers]

    def put(self, weights: Sequence[Arrays]) -> None:
        """Replace every array."""
        for layer, arrays in zip(self.layers, weights, strict=True):
            layer.set_weights(arrays)

    def outputs(self, windows: np.ndarray) -> Arrays:
        """Return what each layer makes, in inference, of what the one before made of windows [N, T, D]."""
        import keras

        def forward(x: Any) -> list[Any]:
            outputs = [x]
            for layer in self.layers:
                outputs.append(layer(outputs[-1], training=False))
            return outputs[1:]

        if keras.backend.backend() == "jax":
            import jax

            forward = jax.jit(forward)  # one program compiles faster than its many operations
        outputs = forward(keras.ops.convert_to_tensor(windows))
        return [np.asarray(keras.ops.convert_to_numpy(output)) for output in outputs]


class Torch:
    """A PyTorch module as a chain of layers."""

    def __init__(self, network: Any) -> None:
        import torch

        self.network = network.to(torch.get_default_dtype())
        parts = list(network) if type(network).__name__ == "Sequential" else [network]
        self.layers = [layer for part in parts for layer in _chain(part)]

    def weights(self) -> list[Arrays]:
        """Return for each layer its arrays, trained and tracked, as Keras keeps them."""
        return [[_to_keras(place) for place in _places(layer)] for layer in self.layers]

    def put(self, weights: Sequence[Arrays]) -> None:
        """Replace every array by one that is as Keras keeps it."""
        for layer, arrays in zip(self.layers, weights, strict=True):
            for place, array in zip(_places(layer), arrays, strict=True):
                _from_keras(place, array)

    def outputs(self, windows: np.ndarray) -> Arrays:
        """Return what each layer makes, in inference, of what the one before made of windows [N, T, D]."""
        import torch

        self.network.eval()
        outputs = [torch.tensor(windows)]
        with torch.inference_mode():
            for layer in self.layers:
                outputs.append(layer(outputs[-1]))
        return [output.numpy() for output in outputs[1:]]


class Place(NamedTuple):
    """Where one of Keras' arrays is in a PyTorch layer: in one tensor or, for biases, in two."""

    name: str
    tensors: list[Any]
    kind: str  # of the layer that has it


def _chain(layer: Any) -> Iterator[Any]:
    """Yield a model's layers in order, those of models within it included, and of layers that are read as one."""
    parts = layer.layers if hasattr(layer, "layers") else None
    if parts is None:
        yield layer
    else:
        for part in parts:
            yield from _chain(part)


def _places(layer: Any) -> list[Place]:
    """Return a PyTorch layer's tensors, those together that are one array in Keras."""
    places: dict[str, Place] = {}
    for path, module in layer.named_modules():
        kind = type(module).__name__
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, tensor in own:
            # two biases, one of x and one of h: Keras' GRU has both as rows of one array, other layers have their sum
            one = name.replace("recurrent_bias", "bias").replace("bias_hh", "bias_ih")
            places.setdefault(f"{path}.{one}", Place(one, [], kind)).tensors.append(tensor)
    return list(places.values())


def _to_keras(place: Place) -> np.ndarray:
    arrays = [_turned(place, tensor.detach().numpy()) for tensor in place.tensors]
    if place.kind == "GRU":
        arrays = [_exchanged(array) for array in arrays]
        return np.stack(arrays) if len(arrays) > 1 else arrays[0].copy()
    total: np.ndarray = np.sum(arrays, axis=0)
    return total


def _from_keras(place: Place, array: np.ndarray) -> None:
    import torch

    if place.kind == "GRU":
        parts = [_exchanged(part) for part in (array if len(place.tensors) > 1 else [array])]
    else:
        parts = [array, *(np.zeros_like(array) for _ in place.tensors[1:])]
    with torch.no_grad():
        for tensor, part in zip(place.tensors, parts, strict=True):
            tensor.copy_(torch.tensor(_turned(place, part)))


def _turned(place: Place, array: np.ndarray) -> np.ndarray:
    """Return kernels have their axes the other way round: [outputs, inputs], [outputs, inputs, width].

    Its own inverse.
    """
    turned: np.ndarray = array.T if "kernel" in place.name or "weight" in place.name else array
    return turned


def _exchanged(array: np.ndarray) -> np.ndarray:
    """Swap a GRU's gates on the last axis between the framework's order and Keras' update, reset, candidate."""
    first, second, candidate = np.split(array, 3, axis=-1)
    return np.concatenate([second, first, candidate], axis=-1)
