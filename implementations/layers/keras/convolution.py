"""A convolution over time. Sequences are [N, T, channels]."""

from __future__ import annotations

from math import inf

import keras
from keras import ops

from implementations.incremental import State
from implementations.layers.keras.base import Tensor, register


@register
class Conv1D(keras.layers.Conv1D):
    """Keras' Conv1D, computed as one matrix product.

    The same layer to the last rounding error, but strides end at the newest step, not start at the oldest. XLA's own
    convolution, in a compiled training loop on a CPU, took eight times as long for WaveNet's two-wide kernels. Inside,
    channels are first and series last, [C, T, N]: all steps of all series lie side by side, where 20 channels fill no
    whole number of registers. Between two such layers XLA drops the transpositions.
    """

    @property
    def memory(self) -> float:
        """Count the earlier steps that an output depends on; without bound where strides leave some out."""
        return self.dilation_rate[0] * (self.kernel_size[0] - 1) if self.strides == (1,) else inf

    def call(self, inputs: Tensor) -> Tensor:
        if self.padding == "causal":
            inputs = ops.pad(inputs, [[0, 0], [self.dilation_rate[0] * (self.kernel_size[0] - 1), 0], [0, 0]])
        return self._over(inputs)

    def advance(self, new: Tensor, earlier: State) -> tuple[Tensor, State]:
        """Return outputs for new steps [N, S, D], after the earlier ones in memory (None: none yet), and those then."""
        if earlier is None:
            earlier = ops.zeros((ops.shape(new)[0], self.memory, new.shape[2]))
        seen = ops.concatenate([earlier, new], axis=1)
        return self._over(seen), seen[:, seen.shape[1] - self.memory :]

    def _over(self, inputs: Tensor) -> Tensor:
        (width,), (dilation,), (stride,) = self.kernel_size, self.dilation_rate, self.strides
        steps = inputs.shape[1] - dilation * (width - 1)
        first = (steps - 1) % stride  # the newest step counts
        x, kernel = ops.transpose(inputs, (2, 1, 0)), ops.reshape(self.kernel, (-1, self.filters))
        taps = [x[:, first + k * dilation : k * dilation + steps : stride] for k in range(width)]
        seen = ops.concatenate(taps) if width > 1 else taps[0]
        nets = ops.matmul(ops.transpose(kernel), ops.reshape(seen, (kernel.shape[0], -1))) + self.bias[:, None]
        inside = self.activation is not keras.activations.softmax  # which goes over channels, and wants them last
        outputs = ops.reshape(self.activation(nets) if inside else nets, (self.filters, seen.shape[1], -1))
        outputs = ops.transpose(outputs, (2, 1, 0))
        return outputs if inside else self.activation(outputs)
