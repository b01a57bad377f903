"""Real-time recurrent learning: the gradient carried forward in time, instead of back through it.

    h_t = tanh(v_t M),   v_t = [x_t, h_{t-1}, 1],   M = [W; U; b]
    S_t = d h_t / d M = (1 - h_t^2) * (U' S_{t-1} + v_t)            the sensitivities, S_0 = 0
    dL / dM = sum over t of (dL / dh_t) S_t                        known at once at each step t

Williams and Zipser 1989, doi:10.1162/neco.1989.1.2.270. Section "training RNNs" of the reference, which gives no
network: here one layer, forecasting at every step. The gradient is that of back-propagation through time to rounding,
at memory that does not grow with T but work that grows with units^4, hence ten units. Departs from the paper: weights
are updated after a batch of series, not after every time step, so that the two gradients are the same. `bptt_rnn` is
the same network trained by back-propagation: what the two differ by is the algorithm alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from implementations.network import NetworkForecaster
from implementations.strategies import SequenceToSequence


class RTRLRNN(NetworkForecaster):
    strategy = SequenceToSequence()
    units: int = 10

    def state_size(self) -> int:
        return self.units

    def keras_network(self, channels: int, outputs: int) -> Any:
        import keras

        from implementations.layers.keras import SimpleRNN

        return keras.Sequential(
            [SimpleRNN(self.units, return_sequences=True), keras.layers.Dense(outputs)],
        )

    def torch_network(self, channels: int, outputs: int) -> Any:
        from torch import nn

        from implementations.layers.torch import Dense, SimpleRNN

        return nn.Sequential(SimpleRNN(channels, self.units), Dense(self.units, outputs))

    def gradient_rule(self) -> Callable[..., tuple[Any, list[Any]]] | None:
        return gradient


class BPTTRNN(RTRLRNN):
    """The same network by back-propagation through time, the control of `rtrl_rnn`."""

    def gradient_rule(self) -> None:
        return None


def gradient(ops: Any, scan: Any, weights: list[Any], inputs: Any, targets: Any, present: Any) -> tuple[Any, list[Any]]:
    """Return mean squared error and its gradient, by sensitivities; `ops` is keras.ops or torch.

    weights: W [D, K], U [K, K], b [K], V [K, H D], c [H D]; inputs [N, T, D], targets [N, T, H D], present [N].
    """
    W, U, b, V, c = [ops.moveaxis(weight, 0, -1) for weight in weights]  # series last: W is [K, D] here
    (series, steps, channels), units = inputs.shape, U.shape[0]
    rows = channels + units + 1
    one, identity = ops.ones((1, series)), ops.eye(units)[:, None, :, None]
    scale = present / (ops.sum(present) * steps * c.shape[0])

    def step(carried: Any, at_step: Any) -> tuple[Any, Any]:
        h, S, loss, d_M, d_V, d_c = carried  # S [k, (p, j), N]: d h_k / d M_pj
        x, target = at_step
        v = ops.concatenate([x, h, one])
        h = ops.tanh(ops.matmul(W, x) + ops.matmul(U, h) + b[:, None])
        direct = ops.reshape(identity * v[None, :, None, :], S.shape)
        through = ops.reshape(ops.matmul(U, ops.reshape(S, (units, -1))), S.shape)
        S = (through + direct) * (1 - h * h)[:, None]
        error = ops.matmul(V, h) + c[:, None] - target
        d_y = 2 * error * scale
        d_h = ops.matmul(ops.moveaxis(V, 0, 1), d_y)
        d_M = d_M + ops.sum(S * d_h[:, None], (0, 2))
        d_V, d_c = d_V + ops.matmul(d_y, ops.moveaxis(h, 0, 1)), d_c + ops.sum(d_y, 1)
        return (h, S, loss + ops.sum(error * error * scale), d_M, d_V, d_c), h

    start = (
        ops.zeros((units, series)), ops.zeros((units, rows * units, series)),
        ops.zeros(()), ops.zeros((rows * units,)), ops.zeros(V.shape), ops.zeros(c.shape),
    )  # fmt: skip
    by_step = [ops.moveaxis(array, 0, -1) for array in (inputs, targets)]  # [T, D, N]
    (_, _, loss, d_M, d_V, d_c), _ = scan(step, start, tuple(by_step))
    d_M = ops.reshape(d_M, (rows, units))
    return loss, [d_M[:channels], d_M[channels:-1], d_M[-1], ops.moveaxis(d_V, 0, 1), d_c]
