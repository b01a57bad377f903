"""What Keras code needs of TensorFlow: a gradient, compiled programs (XLA), threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from implementations.backends.keras.engine import Trainer


def seed(number: int) -> None:
    """Seed TensorFlow's generator."""
    tf.random.set_seed(number)


def limit_threads(threads: int) -> None:
    """Limit TensorFlow's threads, which works before its first operation only."""
    if thread_count() != threads:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def use(device: str) -> None:
    """Compute on the processor, also where there is an accelerator."""
    tf.config.set_visible_devices([], "GPU")


def use_precision(floats: str) -> None:
    """Do nothing: TensorFlow computes in what it is given."""


def device_name() -> str:
    """Name the processor, the only device."""
    return "cpu"


def thread_count() -> int:
    """Count the threads that one operation may use."""
    return tf.config.threading.get_intra_op_parallelism_threads()


def compiled(network: keras.Model, call: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a call that uses the network's weights, once per shape of its arguments."""
    compute = tf.function(call, jit_compile=True, autograph=False)
    return lambda *arguments: compute(*tf.nest.map_structure(_tensor, arguments))


def _tensor(value: Any) -> Any:
    return tf.constant(value) if isinstance(value, np.ndarray) else value  # an array itself would be traced by value


def hold_for_now(array: np.ndarray) -> tf.Variable:
    """Hold an array for the training program, of which another one may take the place."""
    return tf.Variable(array, trainable=False)


def replaced(held: tf.Variable, array: np.ndarray) -> tf.Variable:
    """Return what the program is to read instead: the same variable, with other values."""
    held.assign(array)
    return held


class EpochProgram:
    """One compiled loop over the batches of an epoch; the weights stay in the network's variables."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        weights = trainer.network.trainable_variables
        self.averages = [tf.Variable(weight.value) for weight in weights] if trainer.blends is not None else []
        self.live: list[tf.Tensor] = []  # the weights, while the network has their averages
        self.epoch = tf.function(self._epoch, jit_compile=True, autograph=False)

    def run(self, batches: np.ndarray, present: np.ndarray, count: int) -> float:
        """Take a step for each of the first `count` batches [S, B]; return the sum of their series' losses."""
        for weight, value in zip(self.trainer.network.trainable_variables, self.live, strict=bool(self.live)):
            weight.assign(value)
        self.live = []
        return float(self.epoch(tf.constant(batches), tf.constant(present), tf.constant(count)))

    def finish(self) -> None:
        """Put averages into the network; without them it has its weights already."""
        if self.averages and not self.live:
            self.live = [tf.identity(weight.value) for weight in self.trainer.network.trainable_variables]
            for weight, average in zip(self.trainer.network.trainable_variables, self.averages, strict=True):
                weight.assign(average)

    def _epoch(self, batches: tf.Tensor, present: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
        def step(number: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            loss = self._step(batches[number], present[number])
            return number + 1, total + loss * tf.reduce_sum(present[number])

        # the count is an argument so that compiling (count 0) and training share one program
        return tf.while_loop(lambda number, _: number < count, step, (tf.constant(0), tf.constant(0.0)))[1]

    def _step(self, batch: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        trainer, variables = self.trainer, self.trainer.network.trainable_variables
        inputs, targets = tf.gather(trainer.inputs, batch), tf.gather(trainer.targets, batch)
        if rule := trainer.rule:
            values = [tf.convert_to_tensor(variable.value) for variable in variables]
            loss, gradients = rule(values, inputs, targets, present)
        else:
            with tf.GradientTape() as tape:
                loss = trainer.loss(trainer.network(inputs, training=True), targets, present)
                objective = loss + trainer.penalty([variable.value for variable in variables])
            gradients = tape.gradient(objective, [variable.value for variable in variables])
        trainer.optimizer.apply(gradients, variables)
        if self.averages:
            blend = trainer.blend(trainer.optimizer.iterations.value)
            for average, variable in zip(self.averages, variables, strict=True):
                average.assign_add(blend * (variable.value - average))
        return loss
