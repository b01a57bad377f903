"""The limit of the data: the mean of all futures that the generator could have made after a history. A reference.

    x_t = 0.5 sin(w_1 t + p_1) + 0.2 sin(w_2 t + p_2) + u_t,   u_t uniform in -0.05..0.05        section "data"

The mean of the posterior has the least expected squared error of all forecasts, so no method can be expected below it.
As the noise is uniform, every w, p that leaves each residual within 0.05 is as likely as every other: the posterior is
uniform on that set. (What the generator draws w and p from changes little and is left out.)

    centre   minimise  -sum_t log(0.05^2 - r_t^2)       the set's analytic centre, by damped Newton steps from the
                                                        least-squares fit (Boyd & Vandenberghe 2004, section 8.5.3)
    mean     hit and run (Smith 1984, doi:10.1287/opre.32.6.1296) from the centre: a direction, then a point on the
             chord through the set, taken where it lies in the set

All series share their random numbers, which no seed changes: a series is forecast alone as in any batch. A history that
no w, p explains within 0.05 gets the least bound that the Newton steps reach.
"""

from __future__ import annotations

import numpy as np

from implementations.methods.least_squares_oracle import LeastSquaresOracle, best_fit, formula, slopes

BOUND = 0.05  # of the noise
NEWTON_STEPS = 60
TIGHT = 1.005  # a bound above BOUND, over the largest residual
DECREMENT = 1e-6  # of the barrier, that ends them
HALVINGS = 12
SLACK = 1.2  # how much wider than the set its linear picture is, from which points are drawn


class Bayes(LeastSquaresOracle):
    """Averages over the formulas that explain a history; draws: points of each average, starts: as the fit's."""

    draws: int = 400

    def __post_init__(self) -> None:
        super().__post_init__()
        if type(self.draws) is not int or self.draws < 1:
            name = self.name or "bayes"
            raise ValueError(f"{name}.draws: got {self.draws!r}, needed a whole number of at least 1")

    def _forecast(self, rows: np.ndarray, seen: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """Forecast rows [B, T], seen at times [T], at the times ahead [steps]: [B, steps]."""
        centre, bound, curvature = analytic_centre(best_fit(rows, seen, self.starts), rows, seen)
        return mean_of_set(centre, bound, curvature, rows, seen, ahead, self.draws)


def analytic_centre(unknown: np.ndarray, rows: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, ...]:
    """Find the centre [B, 4] of the set that rows [B, T] allow, their bounds [B, 1], and the curvature [B, 4, 4]."""
    unknown, bound, curvature = unknown.copy(), np.full((len(rows), 1), np.inf), np.empty((len(rows), 4, 4))
    going = np.arange(len(rows))
    for _ in range(NEWTON_STEPS):
        residuals = rows[going] - formula(unknown[going], time)
        least = np.maximum(BOUND, TIGHT * np.abs(residuals).max(axis=1, keepdims=True) + 1e-9)
        tightened, bound[going] = bound[going] > least, np.minimum(bound[going], least)
        room, jacobian = bound[going] ** 2 - residuals**2, slopes(unknown[going], time)
        gradient = ((-2 * residuals / room)[:, None] @ jacobian)[:, 0]
        weighted = jacobian * (2 * (bound[going] ** 2 + residuals**2) / room**2)[:, :, None]
        curvature[going] = weighted.swapaxes(1, 2) @ jacobian + 1e-9 * np.eye(4)
        step = -np.linalg.solve(curvature[going], gradient[..., None])[..., 0]
        barrier = -np.log(room).sum(axis=1)
        unknown[going] = shortened(unknown[going], step, rows[going], time, bound[going], barrier)
        going = going[tightened[:, 0] | (-(gradient * step).sum(axis=1) > DECREMENT)]
        if not len(going):
            break
    return unknown, bound, curvature


def shortened(
    unknown: np.ndarray, step: np.ndarray, rows: np.ndarray, time: np.ndarray, bound: np.ndarray, barrier: np.ndarray
) -> np.ndarray:
    """Return the unknowns [B, 4] after the step, halved until the barrier [B] does not rise."""
    length = np.ones((len(rows), 1))
    for _ in range(HALVINGS):
        residuals = rows - formula(unknown + length * step, time)
        room = bound**2 - residuals**2
        inside = (room > 0).all(axis=1)
        reached = -np.log(np.where(inside[:, None], room, 1.0)).sum(axis=1)
        worse = ~inside | (reached > barrier)
        if not worse.any():
            break
        length[worse] /= 2
    return np.where(worse[:, None], unknown, unknown + length * step)


def mean_of_set(
    centre: np.ndarray, bound: np.ndarray, curvature: np.ndarray, rows: np.ndarray, seen: np.ndarray,
    ahead: np.ndarray, draws: int,
) -> np.ndarray:  # fmt: skip
    """Average [B, steps] the formula at the times ahead, over the set that rows [B, T] allow."""
    random = np.random.default_rng(0)
    spread = np.linalg.inv(np.linalg.cholesky(curvature)).swapaxes(1, 2)  # makes the set about round
    jacobian = slopes(centre, seen)
    linear = rows - formula(centre, seen)  # the residuals, as if the formula were linear around the centre
    point, total = centre, np.zeros((len(rows), len(ahead)))
    for _ in range(draws):
        direction = spread @ random.standard_normal(4)
        change = (jacobian @ direction[..., None])[..., 0]
        sides = (linear + np.array([-1, 1])[:, None, None] * SLACK * bound) / np.where(change == 0, 1e-300, change)
        low, high = sides.min(axis=0).max(axis=1), sides.max(axis=0).min(axis=1)
        length = (low + (high - low) * random.random())[:, None]
        new = point + length * direction
        inside = (np.abs(rows - formula(new, seen)) <= bound).all(axis=1, keepdims=True)
        point = np.where(inside, new, point)
        linear = np.where(inside, linear - length * change, linear)
        total += formula(point, ahead)
    return total / draws
