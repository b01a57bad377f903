"""What a backend is to the rest: an `Engine`, a module that builds, trains, runs and keeps a framework's networks.

N series, T history steps, S new steps, H steps ahead, D channels; arrays are NumPy float32. The networks themselves are
the framework's: here they are only passed on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from implementations.incremental import State, Tensor
from implementations.training.options import Options

Predict = Callable[[np.ndarray], np.ndarray]  # windows [N, T, D] -> outputs
Advance = Callable[[np.ndarray, State], tuple[np.ndarray, State]]  # new steps [N, S, D] -> outputs
#: (ops, scan, weights, inputs, targets, present [B]) -> (loss, gradients): a method's own way to its gradient
GradientRule = Callable[[Any, Any, list[Tensor], Tensor, Tensor, Tensor], tuple[Tensor, list[Tensor]]]


class NetworkMethod(Protocol):
    """What an engine asks of a method."""

    seed: int
    native: bool
    kind: str  # of question: to classify, the loss is the cross-entropy of logits and one-hot targets

    @property
    def mixes_series(self) -> bool:
        """Say whether the series of a batch influence each other in training."""

    def gradient_rule(self) -> GradientRule | None:
        """Return the method's own way to its gradient, if it has one."""

    @property
    def options(self) -> Options:
        """Return how the network is trained."""

    def keras_network(self, channels: int, outputs: int) -> Callable[[Tensor], Tensor]:
        """Make the layers in Keras."""

    def torch_network(self, channels: int, outputs: int) -> Any:
        """Make the same layers as a torch.nn.Module."""


class Trainer(Protocol):
    """Trains a network on inputs [N, T, D] and targets [N, ...], one epoch at a time."""

    def show(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Train on these from now on, instead of the first ones: arrays of the same shapes."""

    def compile(self) -> None:
        """Compile the training program."""

    def epoch(self, order: np.ndarray) -> float:
        """Take a step for each batch of the series in this order [N]; return their mean loss."""

    def finish(self) -> None:
        """Put the trained weights, or their averages, where the network keeps them."""


class Processor(Protocol):
    """What every backend has, with a network or without: seeds, threads and a device."""

    def seed(self, number: int, /) -> None:
        """Seed Python's, NumPy's and the framework's generators."""

    def limit_threads(self, threads: int, /) -> None:
        """Keep every operation to so many threads."""

    def use(self, device: str, /) -> None:
        """Compute on this device from now on. Raises ValueError where the machine has none such."""

    def device_name(self) -> str:
        """Name what it computes on: cpu, or the accelerator."""

    def thread_count(self) -> int:
        """Count the threads that one operation may use."""


Network = TypeVar("Network")  # of the framework
_Trainer = Trainer


class Engine(Processor, Protocol[Network]):
    """The backend of a framework with networks."""

    def use_precision(self, floats: str, /) -> None:
        """Build networks that compute in float32, the default, or float64, from now on."""

    def build(
        self, method: NetworkMethod, steps: int | None, channels: int, outputs: int, number: int | None = None
    ) -> Network:
        """Build the method's network for windows of so many steps (None: any number), with fresh weights.

        number: the seed, unless it is the method's.
        """

    def parameters(self, network: Network, /) -> int:
        """Count the numbers that are trained."""

    def weights(self, network: Network, /) -> list[np.ndarray]:
        """Return every weight, trained or tracked, in the network's order."""

    def put(self, network: Network, arrays: list[np.ndarray], /) -> None:
        """Replace every weight, in the order of `weights`."""

    def save(self, network: Network, folder: Path, /) -> None:
        """Write the network to the folder, in its framework's own format."""

    def load(self, method: NetworkMethod, folder: Path, steps: int | None, channels: int, outputs: int, /) -> Network:
        """Read what `save` wrote. Raises ValueError where it is another network."""

    def predictor(self, network: Network, /) -> Predict:
        """Make a function from windows [N, T, D] to the network's outputs."""

    def advancer(self, network: Network, steps: int, growing: bool, /) -> Advance | None:
        """Make a function from new steps and a state to outputs and the state then, see `implementations.incremental`.

        None where the network has to read its window of so many steps again for each block.
        """

    def Trainer(self, network: Network, method: NetworkMethod, inputs: np.ndarray, targets: np.ndarray, /) -> _Trainer:
        """Make what trains the network on inputs [N, T, D] and targets [N, ...]."""
