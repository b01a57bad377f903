"""Recurrent layers for compiled training loops: series last, and gradients by hand.

Here arrays are [T, channels, N]: the series of a batch lie side by side in memory, so that one instruction serves
several of them; with channels last, 20 units fill no whole number of registers. A framework's own gradient of a loop
also sums the weights' gradients inside it; by hand they are one matrix product over all steps:

    d_t = s_t * dL/dh_t                     of the net inputs, by slopes s_t known since the forward pass
    dL/dh_{t-1} = dL/dy_{t-1} + U' d_t      y: the outputs
    dL/dU = sum over t of d_t h_{t-1}'      the one product

Back-propagation through time, Werbos 1990, doi:10.1109/5.58337. layers/torch/recurrence.py holds the same for PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable

from keras import ops

from implementations.incremental import State
from implementations.layers.keras.activations import sigmoid
from implementations.layers.keras.base import Tensor
from implementations.layers.keras.scan import scan

# of an activation, as functions of its value
SLOPES = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: ops.cast(h > 0, h.dtype),
    "sigmoid": lambda h: h * (1 - h),
}


def project(x: Tensor, W: Tensor, b: Tensor) -> Tensor:
    """Return net inputs W' x_t + b, [T, G h, N], of x [T, D, N], W [D, G h], b [G h]: all steps at once."""
    return ops.matmul(ops.transpose(W), x) + b[:, None]


def simple(nets: Tensor, U: Tensor, first: Tensor, *, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return states h_t = f(net_t + U h_{t-1}), [T, h, N], after first [h, N].

    nets [T, h, N], U [h, h]; f: tanh, relu or sigmoid.
    """
    slope = SLOPES[f.__name__]

    @ops.custom_gradient
    def states(nets: Tensor, U: Tensor) -> Tensor:
        def step(h: Tensor, at_step: Tensor) -> tuple[State, Tensor]:
            h = f(at_step[0] + ops.matmul(U, h))
            return h, h

        _, h = scan(step, first, (nets,))

        def gradient(d_h: Tensor) -> Tensor:
            deltas, _ = _back(d_h, slope(h), U)
            return deltas, _product(deltas, _before(h, first))

        return h, gradient

    return states(nets, U)


def gru(nets: Tensor, U: Tensor, c: Tensor, first: Tensor, *, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return states h_t = z_t * h_{t-1} + (1 - z_t) * n_t, [T, h, N], after first [h, N].

    n_t = f(net_t + r_t * q_t), q_t = U_q h_{t-1} + c_q; nets [T, 3 h, N] of z, r, n; U [3 h, h], c [3 h] of z, r, q.
    f: tanh, relu or sigmoid.
    """
    units, slope = U.shape[1], SLOPES[f.__name__]

    @ops.custom_gradient
    def states(nets: Tensor, U: Tensor, c: Tensor) -> Tensor:
        def step(h: Tensor, at_step: Tensor) -> tuple[State, Tensor]:
            net, by_state = at_step[0], ops.matmul(U, h) + c[:, None]
            z_and_r = sigmoid(net[: 2 * units] + by_state[: 2 * units])
            z, r, q = z_and_r[:units], z_and_r[units:], by_state[2 * units :]
            n = f(net[2 * units :] + r * q)
            h = z * h + (1 - z) * n
            return h, (h, z, r, n, q)

        _, (h, z, r, n, q) = scan(step, first, (nets,))

        def gradient(d_h: Tensor) -> Tensor:
            before = _before(h, first)
            s_n = (1 - z) * slope(n)
            slopes = ops.concatenate([(before - n) * z * (1 - z), s_n * q * r * (1 - r), s_n * r], 1)
            deltas, d_h = _back(d_h, slopes, U, kept=z)
            d_nets = ops.concatenate([deltas[:, : 2 * units], d_h * s_n], 1)
            return d_nets, _product(deltas, before), ops.sum(deltas, (0, 2))

        return h, gradient

    return states(nets, U, c)


def lstm(
    x: Tensor, W: Tensor, U: Tensor, b: Tensor, *first: Tensor, activation: Callable[[Tensor], Tensor]
) -> tuple[Tensor, Tensor]:
    """Return states h_t = o_t * a(c_t) and memories c_t = f_t * c_{t-1} + i_t * g_t, [T, h, N] each.

    x [T, D, N]; W [D, 4 h], U [h, 4 h], b [4 h] of i, f, g, o, as Keras keeps them; first: h and c, [h, N] each.
    activation: a, of g and of the memory: tanh, relu or sigmoid. A gradient comes back through the states alone; those
    of all weights are one product.
    """
    units, slope, (first_h, first_c) = U.shape[0], SLOPES[activation.__name__], first

    @ops.custom_gradient
    def states(x: Tensor, W: Tensor, U: Tensor, b: Tensor) -> Tensor:
        U_T = ops.transpose(U)  # outside the loop, as U is below: within, each step would turn it again

        def step(carried: State, at_step: Tensor) -> tuple[State, Tensor]:
            h, c = carried
            net = at_step[0] + ops.matmul(U_T, h)
            i_and_f, g, o = sigmoid(net[: 2 * units]), activation(net[2 * units : 3 * units]), sigmoid(net[3 * units :])
            i, f = i_and_f[:units], i_and_f[units:]
            c = f * c + i * g
            h = o * activation(c)
            return (h, c), (h, c, i, f, g, o)

        _, (h, c, i, f, g, o) = scan(step, (first_h, first_c), (project(x, W, b),))

        def gradient(*d: Tensor) -> Tensor:  # TensorFlow gives the two apart, JAX a pair
            a_c = activation(c)
            s_c, s_o = o * slope(a_c), a_c * o * (1 - o)
            slopes = ops.concatenate([g * i * (1 - i), _before(c, first_c) * f * (1 - f), i * slope(g)], 1)

            d_h = (d if len(d) == 2 else d[0])[0]
            deltas = _back_lstm(d_h, s_c, s_o, slopes, f, U)
            seen = ops.concatenate([x, _before(h, first_h), ops.ones_like(x[:, :1])], 1)
            d_W, d_U, d_b = ops.split(_product(seen, deltas), [x.shape[1], x.shape[1] + units])
            return ops.matmul(W, deltas), d_W, d_U, d_b[0]

        return (h, c), gradient

    return states(x, W, U, b)


def _before(states: Tensor, first: Tensor) -> Tensor:
    """Return the states [T, h, N] a step earlier, beginning with the first, [h, N]."""
    return ops.concatenate([first[None], states[:-1]])


def _back(d_outputs: Tensor, slopes: Tensor, U: Tensor, kept: Tensor = None) -> tuple[Tensor, Tensor]:
    """Return the gradients of the net inputs U h_{t-1}, [T, G h, N], and of the states, [T, h, N].

    d_outputs [T, h, N], U [G h, h]; kept [T, h, N]: how much of h_{t-1} is in h_t as it is.
    """
    gates = U.shape[0] // U.shape[1]

    def step(d_h: Tensor, at_step: Tensor) -> tuple[State, Tensor]:
        d_output, slopes, *kept = at_step
        d_h = d_h + d_output
        deltas = ops.concatenate([d_h] * gates) * slopes
        before = ops.matmul(ops.transpose(U), deltas)
        return before + kept[0] * d_h if kept else before, (deltas, d_h)

    sequences = (d_outputs, slopes) if kept is None else (d_outputs, slopes, kept)
    return scan(step, ops.zeros_like(d_outputs[0]), sequences, reverse=True)[1]


def _back_lstm(d_outputs: Tensor, s_c: Tensor, s_o: Tensor, slopes: Tensor, f: Tensor, U: Tensor) -> Tensor:
    """Return the gradients of an LSTM's net inputs, [T, 4 h, N]; U [h, 4 h].

    d_outputs, s_c, s_o, f [T, h, N]: of the states, slopes of c and o, the forget gate; slopes [T, 3 h, N] of i, f, g.
    """

    def step(carried: State, at_step: Tensor) -> tuple[State, Tensor]:
        d_h, d_c = carried
        d_output, s_c, s_o, slopes, f = at_step
        d_h = d_h + d_output
        d_c = d_c + d_h * s_c
        deltas = ops.concatenate([ops.concatenate([d_c, d_c, d_c]) * slopes, d_h * s_o])
        return (ops.matmul(U, deltas), d_c * f), deltas

    zero = ops.zeros_like(d_outputs[0])
    return scan(step, (zero, zero), (d_outputs, s_c, s_o, slopes, f), reverse=True)[1]


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Sum left_t right_t', [L, R], over steps and series of [T, L, N] and [T, R, N], as one matrix product."""
    flat = [ops.reshape(ops.transpose(array, (1, 0, 2)), (array.shape[1], -1)) for array in (left, right)]
    return ops.matmul(flat[0], ops.transpose(flat[1]))
