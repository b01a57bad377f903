"""A loop over time that every engine compiles, forward and backward."""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.keras.base import Tensor

Step = Callable[[State, Tensor], tuple[State, Tensor]]  # (carried, values of one step) -> (carried, output or outputs)


def scan(step: Step, carried: State, sequences: tuple[Tensor, ...], reverse: bool = False) -> tuple[State, Tensor]:
    """Loop over the first axis of the sequences, [T, ...] each; return the last value carried, and stacked outputs.

    reverse: from the last step to the first; outputs keep their places.

    keras.ops.scan, but for TensorFlow: there Keras 3.15 gives XLA no bound on the number of steps, so that no gradient
    can be compiled, and fails on values that are carried but not stacked.
    """
    if keras.backend.backend() != "tensorflow":
        return ops.scan(step, carried, sequences, reverse=reverse)
    import tensorflow as tf

    steps = ops.shape(sequences[0])[0]
    inputs = [tf.TensorArray(sequence.dtype, steps).unstack(sequence) for sequence in sequences]
    _, sample = step(carried, tuple(sequence[0] for sequence in sequences))  # only its structure is used
    arrays = [tf.TensorArray(part.dtype, steps) for part in tf.nest.flatten(sample)]

    def body(count: Tensor, carried: State, arrays: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        t = steps - 1 - count if reverse else count
        carried, output = step(carried, tuple(array.read(t) for array in inputs))
        written = [array.write(t, part) for array, part in zip(arrays, tf.nest.flatten(output), strict=True)]
        return count + 1, carried, written

    start = (tf.constant(0), carried, arrays)
    _, carried, arrays = tf.while_loop(lambda count, *_: count < steps, body, start, maximum_iterations=steps)
    return carried, tf.nest.pack_sequence_as(sample, [array.stack() for array in arrays])
