"""PyTorch's layers, each altered in one way. Python imports this at start where the folder is on PYTHONPATH."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from implementations import backends

load = backends.load


def load_and_alter(backend: str, threads: int = 1) -> ModuleType:
    """The backend's module; PyTorch's layers are changed before the first network is built."""
    module = load(backend, threads)
    if backend == "torch" and backends.load is load_and_alter:
        backends.load = load  # once is enough
        from implementations.layers import torch as layers

        for alter in (gate_order, epsilon, missing_bias, backward_pass, start):
            alter(layers)
    return module


backends.load = load_and_alter


def gate_order(layers: Any) -> None:
    """GRU takes Keras' gate order, update before reset, for its input kernel."""
    import torch

    forward = layers.GRU.forward

    def altered(self: Any, x: Any) -> Any:
        kept = self.kernel.data
        first, second, candidate = kept.chunk(3)
        self.kernel.data = torch.cat([second, first, candidate])
        outputs = forward(self, x)
        self.kernel.data = kept
        return outputs

    layers.GRU.forward = altered


def epsilon(layers: Any) -> None:
    """Layer normalisation has PyTorch's epsilon."""
    init = layers.LayerNormCell.__init__

    def altered(self: Any, *sizes: Any, **settings: Any) -> None:
        init(self, *sizes, **settings)
        self.norm.eps = 1e-5

    layers.LayerNormCell.__init__ = altered


def missing_bias(layers: Any) -> None:
    """A dense layer of three outputs forgets its bias."""
    forward = layers.Dense.forward

    def altered(self: Any, x: Any) -> Any:
        outputs = forward(self, x)
        return outputs - self.bias if self.in_features == 10 else outputs

    layers.Dense.forward = altered


def backward_pass(layers: Any) -> None:
    """The second of two simple recurrent layers has outputs as they should be and a gradient 1 % too large."""
    forward = layers.SimpleRNN.forward

    def altered(self: Any, x: Any) -> Any:
        outputs = forward(self, x)
        if outputs.requires_grad and x.shape[-1] == 20:
            outputs.register_hook(lambda gradient: 1.01 * gradient)
        return outputs

    layers.SimpleRNN.forward = altered


def start(layers: Any) -> None:
    """The recurrent kernel that should start at the identity starts at half of it."""
    init = layers.SimpleRNN.__init__

    def altered(self: Any, *sizes: Any, **settings: Any) -> None:
        init(self, *sizes, **settings)
        if settings.get("identity"):
            self.recurrent_kernel.data.mul_(0.5)

    layers.SimpleRNN.__init__ = altered
