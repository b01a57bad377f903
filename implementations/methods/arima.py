"""ARIMA: trend and season removed by differences, an ARMA model of what is left, both added back.

    w_t = (1 - B)^d (1 - B^m)^D y_t - mu                            B y_t = y_{t-1}; mu only where d = D = 0
    w_t = phi_1 w_{t-1} + ... + phi_p w_{t-p} + e_t + theta_1 e_{t-1} + ... + theta_q e_{t-q}

Forecasts set the coming e to 0 and undo the differences. Box & Jenkins 1970. By statsforecast: the search for orders
(Hyndman & Khandakar 2008, doi:10.18637/jss.v027.i03), conditional least squares, the Kalman filter, the forecasts.

Whole series in their own units (`forecast_rows`) get one order each, seasonal orders too, by the search on conditional
least squares; `auto_arima` searches by exact likelihood.

Windows share one order, chosen once on training series. The candidates are orders that the search proposes and long
autoregressions, p = T/4, T/3 and 2T/5: two sines in white noise are an ARMA(4, 4) with moving-average roots close to
the unit circle, which an autoregression approximates only with many lags, and the search stops at a few. The smallest
error on the training futures decides. Coefficients are estimated for each window. Roots that least squares puts outside
the unit circle are reflected into it: the spectrum does not change, and forecasts cannot explode.

The reference only names the method. Its sines share no season, so season_length is 1, none, unless set.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from implementations.forecaster import check_steps, check_windows
from implementations.statistical import (
    Intervals,
    RowForecaster,
    RowForecasts,
    forecast_batches,
    forecast_each,
    intervals_of_each,
    numerical_warnings_off,
    rows,
)

LONG = (1 / 4, 1 / 3, 2 / 5)  # orders of the long autoregressions, as shares of the history
PROPOSALS = 2  # how many of the search's orders are compared
SHORTEST = 10  # steps: below this the search has nothing to go by
TOLERANCE = 1e-4  # of the gradient


class Order(NamedTuple):
    """What is to be fitted: phi_1..p, d differences, theta_1..q, D seasonal differences, and whether a mean."""

    p: int
    d: int
    q: int
    D: int
    mean: bool

    def steps_needed(self, season_length: int) -> int:
        """Return the shortest history that determines the coefficients."""
        return 2 * (self.p + self.q + self.mean) + self.d + self.D * season_length + 1


class Arima(RowForecaster):
    """One order for all windows, coefficients for each channel of each; whole series get an order each.

    searched: training windows on which statsforecast searches; compared: those on which the proposed orders compete,
    both drawn so that the order of the windows plays no part; season_length: steps in a season, 1 for none.
    """

    has_intervals = True

    searched: int = 12
    compared: int = 200
    season_length: int = 1
    order: Order | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        for name in ("searched", "compared", "season_length"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{self.name or 'arima'}.{name}: got {value!r}, needed a whole number of at least 1")

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Choose the order on history [N, T, D], future [N, H, D]. Raises ValueError for bad input or T below 10."""
        check_windows(history, future)
        check_length(history, SHORTEST)
        start = time.perf_counter()
        import statsforecast.arima  # noqa: F401

        self.seconds = {"build": time.perf_counter() - start}
        chosen = sample(history, self.compared)
        history, future = history[chosen], future[chosen]
        proposed = propose(rows(history)[: self.searched], self.season_length)
        errors = {order: np.mean((self.forecast(history, future.shape[1], order) - future) ** 2) for order in proposed}
        self.order = min(errors, key=lambda order: errors[order])
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Fit each series of history [N, T, D] and forecast it: [N, steps, D] float32.

        Raises ValueError for bad input or too short a history, RuntimeError before `fit`.
        """
        check_windows(history)
        check_steps(steps)
        if self.order is None:
            raise RuntimeError("arima: predict_ahead before fit")
        check_length(history, self.order.steps_needed(self.season_length))
        return self.forecast(history, steps, self.order)

    def forecast_rows(self, rows: Sequence[np.ndarray], steps: int, levels: Sequence[float] = ()) -> RowForecasts:
        """Search an order for each row, fit it, and forecast."""

        def make(season: int, _positive: bool) -> Any:
            from statsforecast.models import AutoARIMA

            return AutoARIMA(season_length=season, approximation=True)

        return forecast_batches(make, self.season_length, rows, steps, levels)

    def forecast(self, history: np.ndarray, steps: int, order: Order) -> np.ndarray:
        """Return forecasts [N, steps, D] float32 of the order after history [N, T, D]."""
        with numerical_warnings_off():
            return forecast_each(history, lambda series: forecast_one(series, steps, order, self.season_length))

    def predict_intervals(self, history: np.ndarray, steps: int, level: int) -> Intervals:
        """Fit each series of history [N, T, D] once, for its forecasts and their bounds: normal errors."""
        from scipy.stats import norm

        order, distance = self.order, float(norm.ppf(0.5 + level / 200))
        if order is None:
            raise RuntimeError("arima: predict_intervals before fit")
        check_length(history, order.steps_needed(self.season_length))

        def bounded(series: np.ndarray) -> Sequence[np.ndarray]:
            mean, spread = forecast_spread(series, steps, order, self.season_length)
            return mean, mean - distance * spread, mean + distance * spread

        with numerical_warnings_off():
            return intervals_of_each(history, bounded)

    def parameters(self) -> int:
        """Return how many numbers are fitted to each series."""
        return 0 if self.order is None else self.order.p + self.order.q + self.order.mean

    def weights(self) -> list[np.ndarray]:
        """Return the order: all that training leaves behind."""
        return [] if self.order is None else [np.array(self.order, dtype=np.int64)]

    def state(self) -> dict[str, Any]:
        """Return the order, by name."""
        return {"order": None if self.order is None else self.order._asdict()}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        """Take back the order."""
        self.order = None if state["order"] is None else Order(**state["order"])


def check_length(history: np.ndarray, needed: int) -> None:
    """Raise ValueError when history [N, T, D] has fewer steps than needed."""
    if history.shape[1] < needed:
        raise ValueError(f"history: got {history.shape[1]} steps, needed at least {needed} for arima")


def sample(history: np.ndarray, count: int) -> np.ndarray:
    """Return which `count` of the windows [N, T, D] to learn from, [count]: by a digest of their values.

    So neither the order of a file's rows nor that of its series changes what is chosen.
    """
    digests = [hashlib.sha256(np.ascontiguousarray(window).tobytes()).digest() for window in history]
    return np.array(sorted(range(len(history)), key=digests.__getitem__)[:count])


def propose(series: np.ndarray, season_length: int) -> list[Order]:
    """List orders worth comparing for series [N, T]: the search's commonest, long ones, the random walk."""
    with numerical_warnings_off():
        found = Counter(search(one, season_length) for one in series)
    (d, D, mean), _ = Counter((o.d, o.D, o.mean) for o in found.elements()).most_common(1)[0]
    steps = series.shape[1]
    orders = [order for order, _ in found.most_common(PROPOSALS)]
    orders += [Order(int(steps * share), d, 0, D, mean) for share in LONG]
    return [order for order in orders if order.steps_needed(season_length) <= steps] + [Order(0, 1, 0, 0, False)]


def search(series: np.ndarray, season_length: int) -> Order:
    """Return the order that statsforecast finds for one series [T]: unit-root tests for d and D, AICc for p and q."""
    from statsforecast.arima import auto_arima_f

    seasonal = season_length > 1
    found = auto_arima_f(series, period=season_length, seasonal=seasonal, max_P=0, max_Q=0, allowdrift=False)
    p, q, _, _, _, d, D = found["arma"]
    return Order(p, d, q, D, "intercept" in found["coef"])


def forecast_one(series: np.ndarray, steps: int, order: Order, season_length: int) -> np.ndarray:
    """Forecast [steps] after one series [T]; its last value where no coefficients can be had, as for a constant."""
    forecasts = forecast_spread(series, steps, order, season_length)[0]
    return forecasts if np.isfinite(forecasts).all() else np.full(steps, series[-1])


def forecast_spread(series: np.ndarray, steps: int, order: Order, season_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Forecast [steps] after one series [T], and the standard error of each; not finite where nothing can be fitted."""
    from statsforecast.arima import arima, predict_arima

    scale = series.std() or 1.0
    scaled = series / scale
    seasonal = {"order": (0, order.D, 0), "period": season_length}
    model = {"order": order[:3], "seasonal": seasonal, "include_mean": order.mean}
    coefficients = start(scaled, order, season_length)
    if order.q:
        fitted = arima(scaled, **model, method="CSS", init=coefficients, tol=TOLERANCE)
        coefficients = np.array(list(fitted["coef"].values()))
    coefficients[: order.p] = stationary(coefficients[: order.p])
    # a pass with the coefficients held fixed fills the Kalman filter, which forecasts
    filtered = arima(scaled, **model, method="ML", fixed=coefficients, transform_pars=False)
    forecasts, errors = predict_arima(filtered, steps)
    return forecasts * scale, errors * scale


def start(series: np.ndarray, order: Order, season_length: int) -> np.ndarray:
    """Return where the fit begins, [p + q + mean]: phi and mu by least squares, the answer for q = 0."""
    for lag in [1] * order.d + [season_length] * order.D:
        series = series[lag:] - series[:-lag]
    lagged = [series[order.p - k : len(series) - k] for k in range(1, order.p + 1)]
    columns = np.stack([*lagged, np.ones(len(series) - order.p)], axis=1)[:, : order.p + order.mean]
    solution = np.linalg.lstsq(columns, series[order.p :], rcond=None)[0]
    phi, constant = solution[: order.p], solution[order.p :]
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.nan_to_num(constant / (1 - phi.sum()), posinf=0.0, neginf=0.0)
    return np.concatenate([phi, np.zeros(order.q), mean])


def stationary(phi: np.ndarray) -> np.ndarray:
    """Return the autoregression phi [p] with every root in the unit circle: those outside are reflected."""
    if not np.isfinite(phi).all():
        return phi
    roots = np.roots(np.r_[1.0, -phi])
    outside = np.abs(roots) > 1
    if not outside.any():
        return phi
    reflected = np.where(outside, 1 / np.conj(np.where(outside, roots, 1)), roots)
    restored: np.ndarray = -np.poly(reflected).real[1:]
    return restored
