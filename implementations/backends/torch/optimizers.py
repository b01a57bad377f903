"""Optimisers and averages of weights for PyTorch, each a few fused operations over all weights at once."""

from __future__ import annotations

import numpy as np
import torch

from implementations import framework_defaults as defaults
from implementations import initializers
from implementations.backends.protocol import NetworkMethod
from implementations.training.options import Options
from implementations.training.schedules import blends

Weights = list[torch.Tensor]


def gradients_of(weights: Weights) -> list[torch.Tensor]:
    """Return the gradients that the last backward pass left in the weights."""
    return [weight.grad for weight in weights if weight.grad is not None]


def matrices_of(network: torch.nn.Module) -> Weights:
    """Return the weights that penalties are for: no biases or scales, and no state space, where zero is not neutral."""
    named = ((name.rpartition(".")[2], weight) for name, weight in network.named_parameters() if weight.requires_grad)
    return [weight for name, weight in named if weight.ndim > 1 and name not in initializers.OF_A_STATE_SPACE]


class Average:
    """The average of the weights over the steps, which takes their place in the network for forecasts."""

    def __init__(self, weights: Weights, options: Options, steps: int) -> None:
        self.weights, self.blends, self.steps = weights, blends(options, steps), 0
        self.averages = [weight.detach().clone() for weight in weights]
        self.live: list[torch.Tensor] = []  # the weights, while the network has their averages

    @torch.no_grad()
    def follow(self) -> None:
        """Move the averages a part of the way to the weights, after a step."""
        assert self.blends is not None
        blend = float(self.blends[min(self.steps, len(self.blends) - 1)])
        self.steps += 1
        torch._foreach_lerp_(self.averages, self.weights, blend)

    @torch.no_grad()
    def put_in(self) -> None:
        """Give the network the averages."""
        if not self.live:
            self.live = [weight.detach().clone() for weight in self.weights]
            torch._foreach_copy_(self.weights, self.averages)

    @torch.no_grad()
    def take_out(self) -> None:
        """Give the network its weights again."""
        if self.live:
            torch._foreach_copy_(self.weights, self.live)
            self.live = []


class SGD:
    """w <- w - learning rate * gradient."""

    def __init__(self, weights: Weights, method: NetworkMethod, rates: np.ndarray | None, matrices: Weights) -> None:
        self.matrices = matrices
        self.weights, self.learning_rate, self.rates, self.steps = weights, method.options.learning_rate, rates, 0

    def next_rate(self) -> float:
        """Return the learning rate of the next step; the last one given holds for all later steps."""
        self.steps += 1
        return self.learning_rate if self.rates is None else float(self.rates[min(self.steps, len(self.rates)) - 1])

    @torch.no_grad()
    def __call__(self) -> None:
        torch._foreach_add_(self.weights, gradients_of(self.weights), alpha=-self.next_rate())


class Adam(SGD):
    """Kingma and Ba 2015, arXiv:1412.6980, with Keras' epsilon (or PyTorch's, see `framework_defaults`).

    PyTorch's fused kernel, called as it is: the optimiser object would import the compiler, for two seconds, and
    `torch.optim.adam.adam` counts the steps of each weight apart.
    """

    def __init__(self, weights: Weights, method: NetworkMethod, rates: np.ndarray | None, matrices: Weights) -> None:
        super().__init__(weights, method, rates, matrices)
        self.native, self.decay = method.native, method.options.weight_decay
        self.means = [torch.zeros_like(weight) for weight in weights]
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.count = torch.zeros((), device=weights[0].device)

    @torch.no_grad()
    def __call__(self) -> None:
        rate = self.next_rate()
        if self.decay:  # of adamw: Loshchilov and Hutter 2019, arXiv:1711.05101
            torch._foreach_mul_(self.matrices, 1 - rate * self.decay)
        self.count += 1
        torch._fused_adam_(
            self.weights, gradients_of(self.weights), self.means, self.squares, [],
            [self.count] * len(self.weights), amsgrad=False, beta1=0.9, beta2=0.999, lr=rate, weight_decay=0.0,
            eps=defaults.torch_adam_epsilon(self.steps, self.native), maximize=False,
        )  # fmt: skip


OPTIMIZERS: dict[str, type[SGD]] = {"adam": Adam, "adamw": Adam, "sgd": SGD}
