"""Where the frameworks differ by default, and what both get here: Keras' defaults, which the reference uses.

    | what                     | Keras                                  | PyTorch                                    |
    |--------------------------|----------------------------------------|--------------------------------------------|
    | Dense, Conv1D            | Glorot uniform, bias 0                 | both uniform within 1 / sqrt(fan in)       |
    | recurrent layers         | Glorot uniform, orthogonal, one bias 0 | uniform within 1 / sqrt(units), two biases |
    | LSTM's forget gate       | bias starts at 1                       | as the others                              |
    | batch normalisation      | momentum 0.99, epsilon 1e-3            | momentum 0.9 (called 0.1), epsilon 1e-5    |
    | its moving variance      | of the batch, / n                      | / (n - 1)                                  |
    | layer normalisation      | epsilon 1e-3                           | epsilon 1e-5                               |
    | Adam                     | epsilon 1e-7, before bias correction   | 1e-8, after it                             |

A forecaster with `native=True` has its framework's own: no setting of the method, but the question what the defaults
alone cost. What has no default is equal in both: the order of a GRU's gates, causal padding, the layout of arrays,
batches, and errors over whole arrays. The starting values are in `initializers`.
"""

from __future__ import annotations

BATCH_NORM_MOMENTUM, BATCH_NORM_EPSILON = 0.99, 1e-3
LAYER_NORM_EPSILON = 1e-3
ADAM_EPSILON = 1e-7
FORGET_BIAS = 1.0

#: PyTorch's own, momentum as Keras counts it
TORCH_BATCH_NORM_MOMENTUM, TORCH_BATCH_NORM_EPSILON = 0.9, 1e-5
TORCH_LAYER_NORM_EPSILON = 1e-5
TORCH_ADAM_EPSILON = 1e-8


def torch_adam_epsilon(step: int, native: bool) -> float:
    """Return the epsilon of PyTorch's Adam at a step, from 1: PyTorch's, or what makes the step equal to Keras'.

    Keras adds epsilon before the bias correction, PyTorch after it: at step t equal if scaled so.
    """
    return TORCH_ADAM_EPSILON if native else ADAM_EPSILON / (1 - 0.999**step) ** 0.5
