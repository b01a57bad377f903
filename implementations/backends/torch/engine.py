"""Training and forecasting in PyTorch."""

from __future__ import annotations

import ctypes
import random
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from implementations import incremental, initializers
from implementations.backends.protocol import Advance, NetworkMethod, Predict
from implementations.backends.torch.optimizers import OPTIMIZERS, Average, Weights, gradients_of, matrices_of
from implementations.incremental import State
from implementations.kinds import CLASSIFY
from implementations.layers.torch.chain import PER_STEP, chain
from implementations.layers.torch.native_defaults import make_native
from implementations.layers.torch.scan import scan
from implementations.training.schedules import rates

KEPT = {-3: 32 << 20, -1: 256 << 20}  # glibc's M_MMAP_THRESHOLD (at its most) and M_TRIM_THRESHOLD, bytes
CHUNK = 1000  # series per forward pass: bounded memory, and the same shape for every part of the data


def keep_freed_memory() -> None:
    """Make glibc keep the memory of freed blocks for the next step, instead of giving it to the system.

    oneDNN's LSTM asks for three megabytes at each step. By glibc's own rules it depends on what else lies on the heap,
    and so on chance, whether those come from the system each time: 660 page faults a step, and 1.8 times as long.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        for option, size in KEPT.items():
            set_option(option, size)


def seed(number: int) -> None:
    """Seed Python's, NumPy's and the framework's generators."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def limit_threads(threads: int) -> None:
    """Keep every operation to so many threads."""
    torch.set_num_threads(threads)
    keep_freed_memory()


def use(device: str) -> None:
    """Compute on this device from now on. Raises ValueError where the machine has none such."""
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: got cuda, but PyTorch finds none here")
    if device != "cpu":
        torch.set_default_device(device)


def use_precision(floats: str) -> None:
    """Build networks that compute in float32, the default, or float64, from now on."""
    torch.set_default_dtype(getattr(torch, floats))


def device_name() -> str:
    """Name what it computes on: cpu, or the accelerator."""
    return torch.cuda.get_device_name() if torch.get_default_device().type == "cuda" else "cpu"


def thread_count() -> int:
    """Count the threads that one operation may use."""
    return torch.get_num_threads()


def build(
    method: NetworkMethod, steps: int | None, channels: int, outputs: int, number: int | None = None
) -> torch.nn.Module:
    """Build the method's network for windows of `steps` (None: any number), with fresh weights.

    number: the seed, unless it is the method's.
    """
    number = method.seed if number is None else number
    torch.manual_seed(number)
    with initializers.drawn_from(number):
        network = method.torch_network(channels, outputs)
    if method.native:
        make_native(network, one_bias=method.gradient_rule() is not None)
    return network.to(torch.get_default_device())


def parameters(network: torch.nn.Module) -> int:
    """Count the numbers that are trained."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def weights(network: torch.nn.Module) -> list[np.ndarray]:
    """Return every weight, trained or tracked, in the network's order."""
    return [weight.detach().cpu().numpy().copy() for weight in network.state_dict().values()]


def put(network: torch.nn.Module, arrays: list[np.ndarray]) -> None:
    """Replace every weight, in the order of `weights`."""
    named = zip(network.state_dict(), arrays, strict=True)
    network.load_state_dict({name: torch.tensor(array) for name, array in named})


def save(network: torch.nn.Module, folder: Path) -> None:
    """Write the network's weights to the folder, as network.safetensors."""
    save_file(network.state_dict(), folder / "network.safetensors")


def load(method: NetworkMethod, folder: Path, steps: int | None, channels: int, outputs: int) -> torch.nn.Module:
    """Build the network and read its weights from the folder's network.safetensors.

    Raises ValueError where they are those of another network.
    """
    network = build(method, steps, channels, outputs)
    found = load_file(folder / "network.safetensors")
    of_network, of_file = ({(name, *w.shape) for name, w in one.items()} for one in (network.state_dict(), found))
    if of_network != of_file:
        name = min(of_network ^ of_file)[0]
        raise ValueError(f"network.safetensors: got the weights of another network, as {name!r} shows; "
                         "where an earlier version wrote them, train it again")  # fmt: skip
    network.load_state_dict(found)
    return network


def predictor(network: torch.nn.Module) -> Predict:
    """Make a function from windows [N, T, D] to the network's outputs."""

    def predict(windows: np.ndarray) -> np.ndarray:
        network.eval()
        with torch.inference_mode():
            chunks = [network(chunk) for chunk in shared(windows).split(CHUNK)]
        return torch.cat(chunks).cpu().numpy()

    return predict


def advancer(network: torch.nn.Module, steps: int, growing: bool) -> Advance | None:
    """Make a function from new steps [N, S, D] and a state to outputs and the state then, see `incremental`.

    None where the network has to read its window of so many steps again for each block.
    """
    layers = chain(network)
    if not incremental.carries(layers, PER_STEP, steps, growing):
        return None

    def advanced(new: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        network.eval()
        with torch.inference_mode():
            outputs, state = incremental.advance(layers, torch.tensor(new), state)
        return outputs.cpu().numpy(), state

    return advanced


class Trainer:
    """Trains a network on inputs [N, T, D] and targets [N, ...], one epoch at a time."""

    def __init__(
        self, network: torch.nn.Module, method: NetworkMethod, inputs: np.ndarray, targets: np.ndarray
    ) -> None:
        self.network, self.method, self.options = network, method, method.options
        self.show(inputs, targets)
        self.weights: Weights = [weight for weight in network.parameters() if weight.requires_grad]
        steps = self.options.epochs * -(-len(inputs) // self.options.batch_size)
        self.matrices = matrices_of(network)
        self.update = OPTIMIZERS[self.options.optimizer](
            self.weights, method, rates(self.options, steps), self.matrices
        )
        rule = method.gradient_rule()
        #: the method's own way to its gradient, if it has one: (weights, inputs, targets, present) -> (loss, gradients)
        self.rule = None if rule is None else partial(rule, torch, scan)
        self.average = None if self.options.averaging == "none" else Average(self.weights, self.options, steps)

    def show(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Train on these from now on."""
        self.inputs, self.targets = shared(inputs), shared(targets)

    def compile(self) -> None:
        """Do nothing: PyTorch does not compile."""

    def epoch(self, order: np.ndarray) -> float:
        """Take a step for each batch of the series in this order [N]; return their mean loss."""
        self.network.train()
        if self.average:
            self.average.take_out()
        total = torch.zeros(())
        for batch in torch.tensor(order).split(self.options.batch_size):
            chosen = self.inputs.index_select(0, batch), self.targets.index_select(0, batch)
            total += self._step(*chosen) * len(batch)
        return total.item() / len(order)

    def finish(self) -> None:
        """Put averages into the network; without them it has its weights already."""
        if self.average:
            self.average.put_in()

    def _step(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss = self._differentiate(inputs, targets)
        _clip(self.weights, self.options.clip_norm, self.options.clip_value)
        self.update()
        if self.average:
            self.average.follow()
        return loss

    def _differentiate(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Leave the gradient of the loss (and penalty) in the weights; return the loss."""
        if rule := self.rule:
            present = torch.ones(len(inputs))
            # the rule has matrices as Keras keeps them, [inputs, outputs]
            loss, gradients = rule([_turned(weight.detach()) for weight in self.weights], inputs, targets, present)
            for weight, gradient in zip(self.weights, gradients, strict=True):
                weight.grad = _turned(gradient).contiguous()
            return loss
        for weight in self.weights:
            weight.grad = None
        outputs = self.network(inputs)
        if outputs.shape[1] != targets.shape[1]:  # trained at the last steps alone
            outputs = outputs[:, -targets.shape[1] :]
        loss = self._loss(outputs, targets)
        penalised = self.options.l1 or self.options.l2
        (loss + self._penalty() if penalised else loss).backward()
        return loss.detach()

    def _loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        if self.method.kind == CLASSIFY:
            return -(targets * torch.log_softmax(outputs, dim=-1)).sum() / len(targets)
        return torch.nn.functional.mse_loss(outputs, targets)

    def _penalty(self) -> torch.Tensor | int:
        """Return the l1 and l2 penalty on the weight matrices; biases and scales go free."""
        l1, l2 = self.options.l1, self.options.l2
        return sum(l1 * matrix.abs().sum() + l2 * matrix.square().sum() for matrix in self.matrices)


def shared(array: np.ndarray) -> torch.Tensor:
    """Return an array as a tensor on its memory where that can be: windows are views of a series, a copy is large."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is read-only: batches are copies
        return torch.as_tensor(array)


def _turned(matrix: torch.Tensor) -> torch.Tensor:
    return matrix.mT if matrix.ndim == 2 else matrix


def _clip(weights: Weights, norm: float | None, value: float | None) -> None:
    gradients = gradients_of(weights)
    if norm is not None:
        length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
        torch._foreach_mul_(gradients, (norm / length).clamp(max=1.0))
    if value is not None:
        torch.nn.utils.clip_grad_value_(weights, value)
