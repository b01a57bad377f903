"""Training and forecasting in PyTorch."""

from __future__ import annotations

import ctypes
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

import implementations.blocks.torch as blocks
from implementations import carrying, defaults, initial, training

Advance = Callable[[np.ndarray, Any], tuple[np.ndarray, Any]]

KEPT = {-3: 32 << 20, -1: 256 << 20}  # glibc's M_MMAP_THRESHOLD (at its most) and M_TRIM_THRESHOLD, bytes
CHUNK = 1000  # series per forward pass: bounded memory, and the same shape for every part of the data

_device = torch.device("cpu")


def keep_freed_memory() -> None:
    """Have glibc keep the memory of blocks that are freed, for the next step, rather than give it to the system.

    oneDNN's LSTM asks for three megabytes at each step. By glibc's own rules it depends on what else lies on the heap,
    and so on chance, whether those come from the system each time: 660 page faults a step, and 1.8 times as long.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        for option, size in KEPT.items():
            set_option(option, size)


keep_freed_memory()


def seed(number: int) -> None:
    """Seed Python's, NumPy's and the framework's generators."""
    random.seed(number)
    np.random.seed(number)
    torch.manual_seed(number)


def limit_threads(threads: int) -> None:
    """Keep every operation to so many threads."""
    torch.set_num_threads(threads)


def use(device: str) -> None:
    """Compute on this device from now on. Raises ValueError where the machine has none such."""
    global _device
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device: got cuda, but PyTorch finds none here")
    _device = torch.device(device)
    if device != "cpu":
        torch.set_default_device(_device)


def device_name() -> str:
    """What it computes on: cpu, or the name of the accelerator."""
    return torch.cuda.get_device_name() if _device.type == "cuda" else "cpu"


def thread_count() -> int:
    """How many threads one operation may use."""
    return torch.get_num_threads()


def build(
    forecaster: Any, steps: int | None, channels: int, outputs: int, number: int | None = None
) -> torch.nn.Module:
    """The forecaster's network on windows of `steps` (None: any number) with fresh weights.

    number: the seed, unless it is the forecaster's.
    """
    number = forecaster.seed if number is None else number
    torch.manual_seed(number)
    with initial.drawn_from(number):
        network = forecaster.torch_network(channels, outputs)
    if forecaster.native:
        defaults.make_native(network, one_bias=forecaster.gradient is not None)
    return network.to(_device)


def parameters(network: torch.nn.Module) -> int:
    """How many numbers are trained."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


def weights(network: torch.nn.Module) -> list[np.ndarray]:
    """Every weight, trained or tracked, in the network's order."""
    return [weight.detach().cpu().numpy().copy() for weight in network.state_dict().values()]


def put(network: torch.nn.Module, arrays: list[np.ndarray]) -> None:
    """Replace every weight, in the order of `weights`."""
    named = zip(network.state_dict(), arrays, strict=True)
    network.load_state_dict({name: torch.tensor(array) for name, array in named})


def save(network: torch.nn.Module, folder: Path) -> None:
    """Write the network's weights to the folder, as network.safetensors."""
    save_file(network.state_dict(), folder / "network.safetensors")


def load(forecaster: Any, folder: Path, steps: int | None, channels: int, outputs: int) -> torch.nn.Module:
    """Build the network and read its weights from the folder's network.safetensors.

    Raises ValueError where they are those of another network.
    """
    network = build(forecaster, steps, channels, outputs)
    found = load_file(folder / "network.safetensors")
    of_network, of_file = ({(name, *w.shape) for name, w in one.items()} for one in (network.state_dict(), found))
    if of_network != of_file:
        name = min(of_network ^ of_file)[0]
        raise ValueError(f"network.safetensors: got the weights of another network, as {name!r} shows; "
                         "where an earlier version wrote them, train it anew")  # fmt: skip
    network.load_state_dict(found)
    return network


def predictor(network: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    """A function from windows [N, T, D] to the network's outputs."""

    def predict(windows: np.ndarray) -> np.ndarray:
        network.eval()
        with torch.inference_mode():
            chunks = [network(chunk) for chunk in torch.tensor(windows, device=_device).split(CHUNK)]
        return torch.cat(chunks).cpu().numpy()

    return predict


def advancer(network: torch.nn.Module, steps: int, growing: bool) -> Advance | None:
    """A function from new steps [N, S, D] and a state to the network's outputs and the state then; see carrying.

    None where the network has to read its window of so many steps anew for each block.
    """
    layers = blocks.chain(network)
    if not carrying.carries(layers, blocks.PER_STEP, steps, growing):
        return None

    def advanced(new: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        network.eval()
        with torch.inference_mode():
            outputs, state = carrying.advance(layers, torch.tensor(new, device=_device), state)
        return outputs.cpu().numpy(), state

    return advanced


class Trainer:
    """Trains a network on inputs [N, T, D] and targets [N, ...], one epoch at a time."""

    def __init__(self, network: torch.nn.Module, forecaster: Any, inputs: np.ndarray, targets: np.ndarray) -> None:
        self.network, self.forecaster = network, forecaster
        self.show(inputs, targets)
        self.weights = [weight for weight in network.parameters() if weight.requires_grad]
        steps = forecaster.epochs * -(-len(inputs) // forecaster.batch_size)
        self.update = OPTIMIZERS[forecaster.optimizer](self.weights, forecaster, training.rates(forecaster, steps))
        self.average = None if forecaster.averaging == "none" else Average(self.weights, forecaster, steps)

    def show(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Train on these from now on."""
        self.inputs, self.targets = torch.tensor(inputs, device=_device), torch.tensor(targets, device=_device)

    def compile(self) -> None:
        """PyTorch runs as it reads: there is nothing to compile."""

    def epoch(self, order: np.ndarray) -> float:
        """Take a step for each batch of the series in this order [N]; returns their mean loss."""
        self.network.train()
        if self.average:
            self.average.take_out()
        total = torch.zeros((), device=_device)
        for batch in torch.tensor(order, device=_device).split(self.forecaster.batch_size):
            chosen = self.inputs.index_select(0, batch), self.targets.index_select(0, batch)
            total += self._step(*chosen) * len(batch)
        return total.item() / len(order)

    def finish(self) -> None:
        """The network has its weights already, but for averages."""
        if self.average:
            self.average.put_in()

    def gradient_rule(self) -> Callable[..., tuple[Any, list[Any]]] | None:
        """The method's own (weights, inputs, targets, present) -> (loss, gradients), if it has one."""
        own = self.forecaster.gradient
        return None if own is None else partial(own, torch, _scan)

    def _step(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss = self._differentiate(inputs, targets)
        _clip(self.weights, self.forecaster.clip_norm, self.forecaster.clip_value)
        self.update()
        if self.average:
            self.average.follow()
        return loss

    def _differentiate(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Leave the gradient of the mean squared error (and penalty) in the weights; returns the error."""
        if rule := self.gradient_rule():
            present = torch.ones(len(inputs), device=_device)
            # the rule has matrices as Keras keeps them, [inputs, outputs]
            loss, gradients = rule([_turned(weight.detach()) for weight in self.weights], inputs, targets, present)
            for weight, gradient in zip(self.weights, gradients, strict=True):
                weight.grad = _turned(gradient).contiguous()
            return loss
        for weight in self.weights:
            weight.grad = None
        loss = torch.nn.functional.mse_loss(self.network(inputs), targets)
        penalised = self.forecaster.l1 or self.forecaster.l2
        (loss + self._penalty() if penalised else loss).backward()
        return loss.detach()

    def _penalty(self) -> Any:
        """The l1 and l2 penalty on the weight matrices; biases and scales go free."""
        l1, l2 = self.forecaster.l1, self.forecaster.l2
        matrices = (weight for weight in self.weights if weight.ndim > 1)
        return sum(l1 * matrix.abs().sum() + l2 * matrix.square().sum() for matrix in matrices)


class Average:
    """The average of the weights over the steps, which takes their place in the network for forecasts."""

    def __init__(self, weights: list[Any], forecaster: Any, steps: int) -> None:
        self.weights, self.blends, self.steps = weights, training.blends(forecaster, steps), 0
        self.averages = [weight.detach().clone() for weight in weights]
        self.live: list[torch.Tensor] = []  # the weights, while the network has their averages

    @torch.no_grad()
    def follow(self) -> None:
        """Go a part of the way to the weights after a step."""
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

    def __init__(self, weights: list[Any], forecaster: Any, rates: np.ndarray | None) -> None:
        self.weights, self.learning_rate, self.rates, self.steps = weights, forecaster.learning_rate, rates, 0

    def next_rate(self) -> float:
        """The learning rate of the next step: the last one given for all after that."""
        self.steps += 1
        return self.learning_rate if self.rates is None else float(self.rates[min(self.steps, len(self.rates)) - 1])

    @torch.no_grad()
    def __call__(self) -> None:
        gradients = [weight.grad for weight in self.weights]
        torch._foreach_add_(self.weights, gradients, alpha=-self.next_rate())


class Adam(SGD):
    """Kingma and Ba 2015, arXiv:1412.6980, with Keras' epsilon (or PyTorch's, see `defaults`).

    PyTorch's fused kernel, called as it is: the optimiser object would import the compiler, for two seconds, and
    `torch.optim.adam.adam` counts the steps of each weight by itself.
    """

    def __init__(self, weights: list[Any], forecaster: Any, rates: np.ndarray | None) -> None:
        super().__init__(weights, forecaster, rates)
        self.native, self.decay = forecaster.native, forecaster.weight_decay
        self.means = [torch.zeros_like(weight) for weight in weights]
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.count = torch.zeros((), device=_device)

    @torch.no_grad()
    def __call__(self) -> None:
        rate = self.next_rate()
        if self.decay:  # of adamw: Loshchilov and Hutter 2019, arXiv:1711.05101
            torch._foreach_mul_([weight for weight in self.weights if weight.ndim > 1], 1 - rate * self.decay)
        self.count += 1
        torch._fused_adam_(
            self.weights, [weight.grad for weight in self.weights], self.means, self.squares, [],
            [self.count] * len(self.weights), amsgrad=False, beta1=0.9, beta2=0.999, lr=rate, weight_decay=0.0,
            eps=defaults.torch_adam_epsilon(self.steps, self.native), maximize=False,
        )  # fmt: skip


OPTIMIZERS: dict[str, Callable[..., Callable[[], None]]] = {"adam": Adam, "adamw": Adam, "sgd": SGD}


def _scan(step: Callable[..., Any], carried: Any, sequences: tuple[torch.Tensor, ...]) -> tuple[Any, torch.Tensor]:
    """keras.ops.scan as a plain loop: carry a value over the steps, and stack what each gives."""
    outputs = []
    for at_step in zip(*sequences, strict=True):
        carried, output = step(carried, at_step)
        outputs.append(output)
    return carried, torch.stack(outputs)


def _turned(matrix: torch.Tensor) -> torch.Tensor:
    return matrix.mT if matrix.ndim == 2 else matrix


def _clip(weights: list[torch.nn.Parameter], norm: float | None, value: float | None) -> None:
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    if norm is not None:
        length = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients]))
        torch._foreach_mul_(gradients, (norm / length).clamp(max=1.0))
    if value is not None:
        torch.nn.utils.clip_grad_value_(weights, value)
