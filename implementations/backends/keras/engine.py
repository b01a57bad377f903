"""Training and forecasting in Keras, on TensorFlow or JAX.

A whole epoch is one compiled program: a loop over batches that gathers its series by index from the data already there.
The loop body is the same for both engines; only how a gradient is taken and how a program is compiled differ.
"""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import keras
import numpy as np
from keras import ops

import implementations.layers.keras  # noqa: F401  (registers the layers that saved networks name)
from implementations import incremental, initializers
from implementations.backends.keras.framework import framework
from implementations.backends.protocol import Advance, NetworkMethod, Predict
from implementations.incremental import State
from implementations.kinds import CLASSIFY
from implementations.layers.keras.base import Tensor
from implementations.layers.keras.chain import PER_STEP, chain
from implementations.layers.keras.initializers import DEFAULTS
from implementations.layers.keras.scan import scan
from implementations.training.options import Options
from implementations.training.schedules import blends, rates

CHUNK = 1000  # series per forward pass: one compiled shape, bounded memory


def seed(number: int) -> None:
    """Seed Python's, NumPy's and the framework's generators."""
    random.seed(number)  # Keras draws from here the seed of dropout
    np.random.seed(number)
    framework.seed(number)


def limit_threads(threads: int) -> None:
    """Keep every operation to so many threads."""
    framework.limit_threads(threads)


def use(device: str) -> None:
    """Compute on this device from now on. Raises ValueError where the machine has none such."""
    framework.use(device)


def use_precision(floats: str) -> None:
    """Build networks that compute in float32, the default, or float64, from now on."""
    framework.use_precision(floats)
    keras.config.set_floatx(floats)
    keras.config.set_dtype_policy(floats)


def device_name() -> str:
    """Name what it computes on: cpu, or the accelerator."""
    return framework.device_name()


def thread_count() -> int:
    """Count the threads that one operation may use, as the framework says."""
    return framework.thread_count()


def build(
    method: NetworkMethod, steps: int | None, channels: int, outputs: int, number: int | None = None
) -> keras.Model:
    """Build the method's network for windows of `steps` (None: any number), with fresh weights.

    number: the seed, unless it is the method's.
    """
    number = method.seed if number is None else number
    seed(number)
    window = keras.Input((steps, channels))
    start = {} if method.native else DEFAULTS
    with initializers.drawn_from(number), keras.saving.custom_object_scope(start):
        return keras.Model(window, method.keras_network(channels, outputs)(window))


def parameters(network: keras.Model) -> int:
    """Count the numbers that are trained."""
    return sum(int(np.prod(weight.shape)) for weight in network.trainable_variables)


def weights(network: keras.Model) -> list[np.ndarray]:
    """Return every weight, trained or tracked, in the network's order."""
    return [np.asarray(ops.convert_to_numpy(weight)) for weight in network.weights]


def put(network: keras.Model, arrays: list[np.ndarray]) -> None:
    """Replace every weight, in the order of `weights`."""
    for weight, array in zip(network.weights, arrays, strict=True):
        weight.assign(array)


def save(network: keras.Model, folder: Path) -> None:
    """Write the network to the folder, as network.keras."""
    network.save(folder / "network.keras")


def load(method: NetworkMethod, folder: Path, steps: int | None, channels: int, outputs: int) -> keras.Model:
    """Read the network from the folder's network.keras; code in the file is refused (Keras' safe mode)."""
    return keras.saving.load_model(folder / "network.keras", compile=False, safe_mode=True)


def predictor(network: keras.Model) -> Predict:
    """Make a function from windows [N, T, D] to the network's outputs, compiled once per shape."""
    forward = framework.compiled(network, lambda windows: network(windows, training=False))

    def predict(windows: np.ndarray) -> np.ndarray:
        if len(windows) <= CHUNK:
            return np.asarray(ops.convert_to_numpy(forward(windows)))
        missing = -len(windows) % CHUNK
        padded = np.concatenate([windows, np.repeat(windows[-1:], missing, axis=0)])
        chunks = [forward(chunk) for chunk in np.split(padded, len(padded) // CHUNK)]
        return np.concatenate([ops.convert_to_numpy(chunk) for chunk in chunks])[: len(windows)]

    return predict


def advancer(network: keras.Model, steps: int, growing: bool) -> Advance | None:
    """Make a function from new steps [N, S, D] and a state to outputs and the state then, see `incremental`.

    None where the network has to read its window of so many steps again for each block.
    """
    layers = chain(network)
    if not incremental.carries(layers, PER_STEP, steps, growing):
        return None
    advance = framework.compiled(network, partial(incremental.advance, layers))

    def advanced(new: np.ndarray, state: State) -> tuple[np.ndarray, State]:
        outputs, state = advance(new, state)
        return np.asarray(ops.convert_to_numpy(outputs)), state

    return advanced


class Trainer:
    """Trains a network on inputs [N, T, D] and targets [N, ...], one epoch at a time."""

    def __init__(self, network: keras.Model, method: NetworkMethod, inputs: np.ndarray, targets: np.ndarray) -> None:
        self.network, self.method, self.options = network, method, method.options
        hold = framework.hold_for_now if self.options.augments else ops.convert_to_tensor
        self.inputs, self.targets = hold(inputs), hold(targets)
        steps = self.options.epochs * -(-len(inputs) // self.options.batch_size)
        self.blends = blends(self.options, steps)
        self.optimizer = _optimizer(self.options, rates(self.options, steps), network.trainable_variables)
        self.optimizer.build(network.trainable_variables)
        rule = method.gradient_rule()
        #: the method's own way to its gradient, if it has one: (weights, inputs, targets, present) -> (loss, gradients)
        self.rule = None if rule is None else partial(rule, ops, scan)
        self.program = framework.EpochProgram(self)

    def show(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        """Train on these from now on, instead of the first ones: arrays of the same shapes."""
        self.inputs, self.targets = framework.replaced(self.inputs, inputs), framework.replaced(self.targets, targets)

    def compile(self) -> None:
        """Compile the epoch: run it over no batch at all."""
        for batches, present in self._cut(np.arange(self.inputs.shape[0])):
            self.program.run(batches, present, 0)

    def epoch(self, order: np.ndarray) -> float:
        """Take a step for each batch of the series in this order [N]; return their mean loss."""
        total: float = sum(self.program.run(batches, present, len(batches)) for batches, present in self._cut(order))
        return total / len(order)

    def finish(self) -> None:
        """Put the trained weights where the network keeps them."""
        self.program.finish()

    def loss(self, outputs: Tensor, targets: Tensor, present: Tensor) -> Tensor:
        """Return the mean loss over the series of a batch that are present [B]: squared errors, or cross-entropy."""
        if outputs.shape[1] != targets.shape[1]:  # trained at the last steps alone
            outputs = outputs[:, -targets.shape[1] :]
        if self.method.kind == CLASSIFY:
            losses = -ops.sum(targets * ops.log_softmax(outputs, axis=-1), axis=tuple(range(1, len(targets.shape))))
            return ops.sum(losses * present) / ops.sum(present)
        errors = ops.mean(ops.square(outputs - targets), axis=tuple(range(1, len(targets.shape))))
        return ops.sum(errors * present) / ops.sum(present)

    def blend(self, iterations: Tensor) -> Tensor:
        """Return how far the average follows the weights in the step with this number, from 1."""
        assert self.blends is not None
        return ops.take(ops.convert_to_tensor(self.blends), ops.minimum(iterations, len(self.blends)) - 1)

    def penalty(self, weights: list[Tensor]) -> Tensor:
        """Return the l1 and l2 penalty on the weight matrices; biases and scales go free."""
        l1, l2 = self.options.l1, self.options.l2
        kinds = map(is_matrix, self.network.trainable_variables)
        matrices = [weight for weight, counts in zip(weights, kinds, strict=True) if counts] if l1 or l2 else []
        return sum(l1 * ops.sum(ops.abs(matrix)) + l2 * ops.sum(ops.square(matrix)) for matrix in matrices)

    def _cut(self, order: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        """Cut an epoch into batches: indices [S, B] int32, and which of them are present [S, B] float32.

        An epoch's last, smaller batch is filled up with absent series, so that one compiled program serves all.
        Where the series of a batch influence each other (batch normalisation) that would change the batch: then it
        is a separate piece, and so a separate compiled program.
        """
        size = min(self.options.batch_size, len(order))
        whole, rest = np.split(order, [len(order) // size * size])
        pieces = [whole.reshape(-1, size)]
        if len(rest) and self.method.mixes_series:
            pieces.append(rest[None])
        elif len(rest):
            filled = np.pad(rest, (0, size - len(rest)))
            pieces = [np.concatenate([pieces[0], filled[None]])]
        present = [np.ones(piece.shape, "float32") for piece in pieces]
        if len(rest) and not self.method.mixes_series:
            present[0][-1, len(rest) :] = 0
        return [(piece.astype("int32"), there) for piece, there in zip(pieces, present, strict=True)]


def is_matrix(weight: keras.Variable) -> bool:
    """Say whether penalties are for a weight: not for a scale or a bias, of which a GRU has two in one array.

    Nor for a state space, where zero is no neutral value.
    """
    return len(weight.shape) > 1 and weight.name not in {"bias", *initializers.OF_A_STATE_SPACE}


class RateOfEachStep(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate for each step; the last one holds for all later steps."""

    def __init__(self, rates: np.ndarray) -> None:
        self.rates = rates

    def __call__(self, step: Tensor) -> Tensor:
        number = ops.cast(ops.minimum(step, len(self.rates) - 1), "int32")
        return ops.take(ops.convert_to_tensor(self.rates), number)


OPTIMIZERS = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW, "sgd": keras.optimizers.SGD}


def _optimizer(options: Options, rates: np.ndarray | None, weights: list[keras.Variable]) -> keras.optimizers.Optimizer:
    settings = {
        "learning_rate": options.learning_rate if rates is None else RateOfEachStep(rates),
        "global_clipnorm": options.clip_norm,
        "clipvalue": options.clip_value,
    }
    if options.optimizer == "adamw":
        settings["weight_decay"] = options.weight_decay
    optimizer = OPTIMIZERS[options.optimizer](**settings)
    optimizer.exclude_from_weight_decay(var_list=[weight for weight in weights if not is_matrix(weight)])
    return optimizer
