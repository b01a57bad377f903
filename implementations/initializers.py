"""Initial weights, drawn by NumPy from the seed: the same numbers in every framework, as the batches are.

Each framework's own generator would give other numbers for the same seed, and a comparison at one seed would be one of
luck: in a trial, simple_rnn with seed 42 lost seven epochs to its starting point in one framework, and none in another.

The distributions are Keras' defaults: Glorot and Bengio 2010 (uniform) for kernels, Saxe et al. 2014, arXiv:1312.6120
(orthogonal) for recurrent kernels. Shapes are Keras': [inputs, outputs], [width, inputs, outputs], all gates together.
Networks draw in the order of their layers, which is the same in both frameworks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import log, pi, prod, sqrt

import numpy as np

_drawn_from: ContextVar[np.random.Generator | None] = ContextVar("drawn_from", default=None)


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Give layers that are built within the block their weights from this seed, in another stream than the batches'."""
    token = _drawn_from.set(np.random.default_rng([seed, 1]))
    try:
        yield
    finally:
        _drawn_from.reset(token)


def current() -> np.random.Generator:
    """Return the generator that layers draw from: that of `drawn_from`, or else an unseeded one."""
    return _drawn_from.get() or np.random.default_rng()


def glorot_uniform(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Draw uniformly within sqrt(6 / (fan in + fan out)), float32."""
    *window, inputs, outputs = shape
    limit = sqrt(6 / (prod(window) * (inputs + outputs)))
    return random.uniform(-limit, limit, shape).astype(np.float32)


def orthogonal(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw orthonormal rows or columns, whichever are fewer, evenly over all such matrices; float32."""
    q, r = np.linalg.qr(random.standard_normal((max(shape), min(shape))))
    q *= np.sign(np.diag(r))  # without this, QR prefers some matrices
    return (q.T if shape[0] < shape[1] else q).astype(np.float32)


def uniform(random: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Draw uniformly between two numbers, float32."""
    return random.uniform(low, high, shape).astype(np.float32)


def normal(random: np.random.Generator, shape: tuple[int, ...], deviation: float) -> np.ndarray:
    """Draw from a normal distribution around zero, float32."""
    return (deviation * random.standard_normal(shape)).astype(np.float32)


#: the weights of a diagonal state space but D: logarithms, frequencies and amplitudes, none of them at home near zero
OF_A_STATE_SPACE = frozenset({"log_dt", "log_A_re", "A_im", "C_re", "C_im"})


def diagonal_state_space(
    random: np.random.Generator, width: int, modes: int, dt_min: float = 1e-3, dt_max: float = 1e-1
) -> dict[str, np.ndarray]:
    """Draw a diagonal state space for each of `width` channels: S4D-Lin, A_m = -1/2 + i pi m; float32.

    Their time steps are spread evenly, by logarithm, over dt_min .. dt_max.
    """
    every = np.ones((width, modes), np.float32)
    return {
        "log_dt": uniform(random, (width,), log(dt_min), log(dt_max)),
        "log_A_re": np.float32(log(0.5)) * every,
        "A_im": np.float32(pi) * np.arange(modes, dtype=np.float32) * every,
        "C_re": normal(random, (width, modes), 0.5**0.5),
        "C_im": normal(random, (width, modes), 0.5**0.5),
        "D": normal(random, (width,), 1.0),
    }
