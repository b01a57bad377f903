"""Recurrent layers with their gradients by hand: PyTorch's autograd spends most of a small step on book-keeping.

Back-propagation through time, Werbos 1990, doi:10.1109/5.58337. A layer's gradient runs back as

    d_t = s_t * dL/dh_t                        its net inputs, by slopes s_t known since the forward pass
    dL/dh_{t-1} = dL/dy_{t-1} + J' d_t         y: its outputs

so that only these two lines are a loop; weights and inputs have their gradients for all steps at once.

Here arrays are [T, channels, N], series last: the gates of a step are blocks of memory, and no step is copied.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

Context = Any  # of a torch.autograd.Function: takes any attribute

IN_PLACE = {"tanh": torch.tanh_, "relu": torch.relu_, "sigmoid": torch.sigmoid_}


def slope_of(activation: str, value: Tensor) -> Tensor:
    """Return an activation's derivative where it has this value."""
    if activation == "tanh":
        return 1 - value * value
    return (value > 0).to(value.dtype) if activation == "relu" else value * (1 - value)


class SimpleRecurrence(Function):
    """States h_t = f(W x_t + U h_{t-1} + b), [T, h, N], of x [T, D, N], W [h, D], U [h, h], b [h]; f of IN_PLACE."""

    @staticmethod
    def forward(ctx: Context, x: Tensor, W: Tensor, U: Tensor, b: Tensor, activation: str) -> Tensor:
        states = _from_zero(x, len(U))
        _project(x, W, b, states[1:])
        f_ = IN_PLACE[activation]
        steps = states.unbind()
        for before, h in zip(steps, steps[1:], strict=False):
            f_(h.addmm_(U, before))
        ctx.save_for_backward(x, W, U, states)
        ctx.activation = activation
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, W, U, states = ctx.saved_tensors
        deltas = _back(d_outputs, slope_of(ctx.activation, states[1:]), U)
        return *_gradients(ctx, deltas, x, W, states), None


class GatedRecurrence(Function):
    """States h_t = z_t * h_{t-1} + (1 - z_t) * n_t, n_t = f(a_t + r_t * q_t), [T, h, N], of x [T, D, N].

    f of IN_PLACE. Net inputs of r, z, a and q, each of h rows: W x_t + U h_{t-1} + b; W [4 h, D], U [4 h, h], b [4 h].
    """

    @staticmethod
    def forward(ctx: Context, x: Tensor, W: Tensor, U: Tensor, b: Tensor, activation: str) -> Tensor:
        units, f_ = U.shape[1], IN_PLACE[activation]
        states = _from_zero(x, units)
        gates = x.new_empty(len(x), len(U), x.shape[2])
        _project(x, W, b, gates)
        steps = states.unbind()
        for gate, before, h in zip(gates.unbind(), steps, steps[1:], strict=False):
            r_and_z, n, q = gate.addmm_(U, before).split([2 * units, units, units])
            r, z = r_and_z.sigmoid_().chunk(2)
            torch.lerp(f_(n.addcmul_(r, q)), before, z, out=h)
        ctx.save_for_backward(x, W, U, states, gates)
        ctx.activation = activation
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, W, U, states, gates = ctx.saved_tensors
        r, z, n, q = gates.chunk(4, dim=1)
        s_a = (1 - z) * slope_of(ctx.activation, n)
        s_r, s_z = s_a * q * r * (1 - r), (states[:-1] - n) * z * (1 - z)
        # h_{t-1} reaches h_t by U, and as it is by z
        J = torch.cat([U, torch.eye(U.shape[1], dtype=U.dtype, device=U.device)])
        deltas = _back(d_outputs, torch.cat([s_r, s_z, s_a, s_a * r, z], dim=1), J)
        return *_gradients(ctx, deltas[:, : len(U)], x, W, states), None


class PeepholeRecurrence(Function):
    """States h_t = o_t * tanh(c_t), c_t = f_t * c_{t-1} + i_t * g_t, [T, h, N], of x [T, D, N].

    Net inputs of g, i, f and o, each of h rows: W x_t + U h_{t-1} + b, of W [4 h, D], U [4 h, h], b [4 h]; to those of
    the gates, v [3, h] adds v_i * c_{t-1}, v_f * c_{t-1} and v_o * c_t.
    """

    @staticmethod
    def forward(ctx: Context, x: Tensor, W: Tensor, U: Tensor, b: Tensor, v: Tensor) -> Tensor:
        units = U.shape[1]
        v_if, v_o = v[:2, :, None], v[2, :, None]
        states, memories = _from_zero(x, units), _from_zero(x, units)
        gates, squashed = x.new_empty(len(x), len(U), x.shape[2]), x.new_empty(len(x), units, x.shape[2])
        _project(x, W, b, gates)
        h, c, tanh_c = states.unbind(), memories.unbind(), squashed.unbind()
        for t, gate in enumerate(gates.unbind()):
            g, i_and_f, o = gate.addmm_(U, h[t]).split([units, 2 * units, units])
            i, f = i_and_f.unflatten(0, (2, units)).addcmul_(v_if, c[t]).sigmoid_()
            torch.mul(f, c[t], out=c[t + 1]).addcmul_(i, g.tanh_())
            o.addcmul_(v_o, c[t + 1]).sigmoid_()
            torch.mul(o, torch.tanh(c[t + 1], out=tanh_c[t]), out=h[t + 1])
        ctx.save_for_backward(x, W, U, v, states, memories, gates, squashed)
        return states[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Context, d_outputs: Tensor) -> tuple[Tensor | None, ...]:
        x, W, U, v, states, memories, gates, tanh_c = ctx.saved_tensors
        units, before = U.shape[1], memories[:-1]
        g, i, f, o = gates.chunk(4, dim=1)
        s_c = (o * (1 - tanh_c * tanh_c)).unbind()
        # slopes at first, and gradients step by step
        deltas = torch.cat([i * (1 - g * g), g * i * (1 - i), before * f * (1 - f), tanh_c * o * (1 - o)], dim=1)
        d_gif = deltas[:, : 3 * units].unflatten(1, (3, units)).unbind()
        d_o = deltas[:, 3 * units :].unbind()
        d_h = d_outputs.clone(memory_format=torch.contiguous_format).unbind()
        d_c, U_T, v_o = torch.zeros_like(before[0]), U.T.contiguous(), v[2, :, None]
        # c_{t-1} reaches c_t as it is by f, and by the gates
        v_gif = torch.cat([torch.zeros_like(v[:1]), v[:2]])[:, :, None]
        for t in range(len(d_h) - 1, -1, -1):
            d_o[t].mul_(d_h[t])
            d_c.addcmul_(d_h[t], s_c[t]).addcmul_(d_o[t], v_o)
            d_gif[t].mul_(d_c)
            if t:
                d_h[t - 1].addmm_(U_T, deltas[t])
                d_c.mul_(f[t]).add_((d_gif[t] * v_gif).sum(0))
        _, d_i, d_f, d_out = deltas.unflatten(1, (4, units)).unbind(1)
        seen = ((d_i, before), (d_f, before), (d_out, memories[1:]))
        d_v = torch.stack([(delta * memory).sum((0, 2)) for delta, memory in seen])
        return *_gradients(ctx, deltas, x, W, states), d_v


def _from_zero(x: Tensor, units: int) -> Tensor:
    """Allocate the states [T + 1, h, N], the first of them zero."""
    states = x.new_empty(len(x) + 1, units, x.shape[2])
    states[0] = 0
    return states


def _project(x: Tensor, W: Tensor, b: Tensor, out: Tensor) -> None:
    """Write W x_t + b for all steps to `out`."""
    torch.baddbmm(b[:, None], W.expand(len(x), -1, -1), x, out=out)


def _back(d_outputs: Tensor, slopes: Tensor, J: Tensor) -> Tensor:
    """Return the gradients d_t [T, G h, N], which replace the slopes [T, G h, N]; J [G h, h]."""
    d_states = d_outputs.clone(memory_format=torch.contiguous_format).unbind()
    by_gate = slopes.unflatten(1, (-1, J.shape[1])).unbind()
    J_T, deltas = J.T.contiguous(), slopes.unbind()
    for t in range(len(slopes) - 1, 0, -1):
        by_gate[t].mul_(d_states[t])
        d_states[t - 1].addmm_(J_T, deltas[t])
    by_gate[0].mul_(d_states[0])
    return slopes


def _gradients(ctx: Context, deltas: Tensor, x: Tensor, W: Tensor, states: Tensor) -> tuple[Tensor | None, ...]:
    """Return the gradients of x, W, U and b."""
    d_x = torch.bmm(W.T.expand(len(x), -1, -1), deltas) if ctx.needs_input_grad[0] else None
    d_W, d_U = (torch.bmm(deltas, seen.mT).sum(0) for seen in (x, states[:-1]))
    return d_x, d_W, d_U, deltas.sum((0, 2))
