"""What Keras code needs of JAX: a gradient, compiled programs, threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import jax
import keras
import numpy as np

from implementations.layers.keras.base import Tensor

if TYPE_CHECKING:
    from implementations.backends.keras.engine import Trainer

#: weights that are trained, those that are tracked, the optimiser's, averages of the weights
Training = tuple[list[Tensor], list[Tensor], list[Tensor], list[Tensor]]
Carried = tuple[Tensor, Tensor, Training]  # number of the batch, loss so far, state
#: of XLA on a GPU: else it compiles dozens of kernels for each product of matrices, one by one, and tries them all
ON_A_GPU = {"xla_gpu_autotune_level": 0}


def seed(number: int) -> None:
    """Do nothing: JAX has no generator. Keras' set_random_seed would import TensorFlow, for seconds, to seed that."""


def limit_threads(threads: int) -> None:
    """Set XLA_FLAGS, which JAX reads when it compiles the first program."""
    if threads == 1 and "intra_op_parallelism_threads" not in os.environ.get("XLA_FLAGS", ""):
        single = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {single}".strip()


def use(device: str) -> None:
    """Compute on this device from now on. Raises ValueError where the machine has none such."""
    if device == "cpu":
        jax.config.update("jax_platforms", "cpu")  # or an accelerator that is there would be taken
        return
    try:
        jax.config.update("jax_default_device", jax.devices(device)[0])
        jax.config.update("jax_default_matmul_precision", "highest")  # float32, as PyTorch: not a GPU's shortened one
    except RuntimeError as error:
        raise ValueError(f"device: got {device}, but JAX finds none here ({error})") from None


def jit(call: Callable[..., Any]) -> Any:
    """Compile a call, once per shape of its arguments, as suits the device."""
    device = jax.config.jax_default_device  # type: ignore[attr-defined]
    on_a_gpu = device is not None and device.platform != "cpu"
    return jax.jit(call, compiler_options=dict(ON_A_GPU) if on_a_gpu else None)


def use_precision(floats: str) -> None:
    """Compute in float32 or float64 from now on."""
    from keras.src.backend.common import dtypes

    jax.config.update("jax_enable_x64", floats == "float64")
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = floats  # elsewhere Keras on JAX computes in float32 whatever it is given


def device_name() -> str:
    """Name what it computes on: cpu, or the accelerator."""
    (device,) = jax.numpy.zeros(()).devices()
    return "cpu" if device.platform == "cpu" else str(device.device_kind)


def thread_count() -> int:
    """Count the threads that one operation may use: 1 if the flags say so, else every core of this process."""
    single = "intra_op_parallelism_threads=1" in os.environ.get("XLA_FLAGS", "")
    if single:
        return 1
    affinity = getattr(os, "sched_getaffinity", None)  # macOS and Windows have none
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def compiled(network: keras.Model, call: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a call that uses the network's weights, once per shape of its arguments."""
    variables = network.variables

    def compute(values: list[Tensor], *arguments: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return call(*arguments)

    program = jit(compute)
    return lambda *arguments: program([variable.value for variable in variables], *arguments)


def hold_for_now(array: np.ndarray) -> Tensor:
    """Hold an array for the training program, of which another one may take the place."""
    return jax.numpy.asarray(array)


def replaced(held: Tensor, array: np.ndarray) -> Tensor:
    """Return what the program is to read instead."""
    return hold_for_now(array)


class EpochProgram:
    """One compiled loop over the batches of an epoch; the weights travel through it as values."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.variables = (
            trainer.network.trainable_variables,
            trainer.network.non_trainable_variables,
            trainer.optimizer.variables,
        )
        trained, tracked, optimizer = ([variable.value for variable in group] for group in self.variables)
        averages = [variable.value for variable in self.variables[0]] if trainer.blends is not None else []
        self.state: Training = trained, tracked, optimizer, averages
        paths = [variable.path for variable in trainer.optimizer.variables]
        self.iterations = paths.index(trainer.optimizer.iterations.path)
        self.epoch = jit(self._epoch)

    def run(self, batches: np.ndarray, present: np.ndarray, count: int) -> float:
        """Take a step for each of the first `count` batches [S, B]; return the sum of their series' losses."""
        self.state, total = self.epoch(self.state, self.trainer.inputs, self.trainer.targets, batches, present, count)
        return float(total)

    def finish(self) -> None:
        """Put the weights, or else their averages, into the network's variables."""
        trained, tracked, optimizer, averages = self.state
        for group, values in zip(self.variables, (averages or trained, tracked, optimizer), strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(value)

    def _epoch(
        self, state: Training, inputs: Tensor, targets: Tensor, batches: Tensor, present: Tensor, count: Tensor
    ) -> tuple[Training, Tensor]:
        def step(carried: Carried) -> Carried:
            number, total, state = carried
            batch, there = batches[number], present[number]
            state, loss = self._step(state, inputs[batch], targets[batch], there)
            return number + 1, total + loss * there.sum(), state

        # the count is an argument so that compiling (count 0) and training share one program
        start = (jax.numpy.int32(0), jax.numpy.float32(0), state)
        _, total, state = jax.lax.while_loop(lambda carried: carried[0] < count, step, start)
        return state, total

    def _step(self, state: Training, inputs: Tensor, targets: Tensor, present: Tensor) -> tuple[Training, Tensor]:
        trained, tracked, optimizer, averages = state
        if rule := self.trainer.rule:
            loss, gradients = rule(trained, inputs, targets, present)
        else:
            objective = jax.value_and_grad(self._objective, has_aux=True)
            (_, (loss, tracked)), gradients = objective(trained, tracked, inputs, targets, present)
        trained, optimizer = self.trainer.optimizer.stateless_apply(optimizer, gradients, trained)
        if averages:
            blend = self.trainer.blend(optimizer[self.iterations])
            averages = [average + blend * (weight - average) for average, weight in zip(averages, trained, strict=True)]
        return (list(trained), list(tracked), list(optimizer), averages), loss

    def _objective(
        self, trained: list[Tensor], tracked: list[Tensor], inputs: Tensor, targets: Tensor, present: Tensor
    ) -> tuple[Tensor, tuple[Tensor, list[Tensor]]]:
        outputs, tracked = self.trainer.network.stateless_call(trained, tracked, inputs, training=True)
        loss = self.trainer.loss(outputs, targets, present)
        return loss + self.trainer.penalty(trained), (loss, tracked)
