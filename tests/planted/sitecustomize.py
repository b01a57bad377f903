"""Differences planted in PyTorch's layers. Python imports this at start where the folder is on PYTHONPATH."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from implementations import backends

load = backends.load


def load_and_plant(backend: str, threads: int = 1) -> ModuleType:
    """The backend's module; PyTorch's layers are changed before the first network is built."""
    module = load(backend, threads)
    if backend == "torch" and backends.load is load_and_plant:
        backends.load = load  # once is enough
        from implementations.layers import torch as blocks

        for plant in (gate_order, epsilon, missing_bias, backward_pass, start):
            plant(blocks)
    return module


backends.load = load_and_plant


def gate_order(blocks: Any) -> None:
    """GRU takes Keras' gate order, update before reset, for its input kernel."""
    import torch

    forward = blocks.GRU.forward

    def planted(self: Any, x: Any) -> Any:
        kept = self.kernel.data
        first, second, candidate = kept.chunk(3)
        self.kernel.data = torch.cat([second, first, candidate])
        outputs = forward(self, x)
        self.kernel.data = kept
        return outputs

    blocks.GRU.forward = planted


def epsilon(blocks: Any) -> None:
    """Layer normalisation has PyTorch's epsilon."""
    init = blocks.LayerNormCell.__init__

    def planted(self: Any, *sizes: Any, **settings: Any) -> None:
        init(self, *sizes, **settings)
        self.norm.eps = 1e-5

    blocks.LayerNormCell.__init__ = planted


def missing_bias(blocks: Any) -> None:
    """A dense layer of three outputs forgets its bias."""
    forward = blocks.Dense.forward

    def planted(self: Any, x: Any) -> Any:
        outputs = forward(self, x)
        return outputs - self.bias if self.in_features == 10 else outputs

    blocks.Dense.forward = planted


def backward_pass(blocks: Any) -> None:
    """The second of two simple recurrent layers has outputs as they should be and a gradient 1 % too large."""
    forward = blocks.SimpleRNN.forward

    def planted(self: Any, x: Any) -> Any:
        outputs = forward(self, x)
        if outputs.requires_grad and x.shape[-1] == 20:
            outputs.register_hook(lambda gradient: 1.01 * gradient)
        return outputs

    blocks.SimpleRNN.forward = planted


def start(blocks: Any) -> None:
    """The recurrent kernel that should start at the identity starts at half of it."""
    init = blocks.SimpleRNN.__init__

    def planted(self: Any, *sizes: Any, **settings: Any) -> None:
        init(self, *sizes, **settings)
        if settings.get("identity"):
            self.recurrent_kernel.data.mul_(0.5)

    blocks.SimpleRNN.__init__ = planted
