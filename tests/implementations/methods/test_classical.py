"""The methods without a network, against hand-made sums, known processes and hard cases."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from implementations.forecaster import Forecaster
from implementations.methods.arima import Arima, Order, forecast_one, propose, stationary
from implementations.methods.last_value import LastValue
from implementations.methods.moving_average import MovingAverage
from implementations.statistical import rows

STEPS, HORIZON = 40, 5


def noisy_sines(series: int, channels: int = 1, seed: int = 0) -> np.ndarray:
    """Sines of random frequency and phase with some noise: [series, STEPS + HORIZON, channels] float32."""
    random = np.random.default_rng(seed)
    frequency, phase = random.uniform(0.2, 0.6, (2, series, 1, channels))
    time = np.arange(STEPS + HORIZON)[None, :, None]
    values = np.sin(frequency * time + 6 * phase) + 0.05 * random.standard_normal((series, STEPS + HORIZON, channels))
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def arima() -> Arima:
    series = noisy_sines(12)
    return Arima(searched=3, compared=12).fit(series[:, :STEPS], series[:, STEPS:])


@pytest.fixture(params=["last_value", "moving_average", "arima"])
def fitted(request: pytest.FixtureRequest, arima: Arima) -> Forecaster:
    return {"last_value": LastValue(), "moving_average": MovingAverage(), "arima": arima}[request.param]


@pytest.mark.parametrize("steps", [1, HORIZON, 3 * STEPS])
@pytest.mark.parametrize("channels", [1, 2])
def test_forecasts_have_the_promised_shape_and_type(fitted: Forecaster, steps: int, channels: int) -> None:
    history = noisy_sines(3, channels)[:, :STEPS]
    before = history.copy()
    forecasts = fitted.predict_ahead(history, steps)
    assert forecasts.shape == (3, steps, channels) and forecasts.dtype == np.float32
    assert np.isfinite(forecasts).all()
    assert_array_equal(history, before)
    assert not np.shares_memory(history, forecasts)


def test_a_series_is_forecast_alone_as_in_company(fitted: Forecaster) -> None:
    history = noisy_sines(4, channels=2)[:, :STEPS]
    together = fitted.predict_ahead(history, 7)
    assert_array_equal(fitted.predict_ahead(history[2:3], 7), together[2:3])
    assert_array_equal(fitted.predict_ahead(history[:, :, 1:], 7), together[:, :, 1:])
    assert_array_equal(fitted.predict_ahead(history[::-1], 7), together[::-1])


def test_fewer_steps_are_the_beginning_of_more(fitted: Forecaster) -> None:
    history = noisy_sines(2)[:, :STEPS]
    assert_array_equal(fitted.predict_ahead(history, 3), fitted.predict_ahead(history, 9)[:, :3])


@pytest.mark.parametrize(
    ("history", "message"),
    [
        (np.zeros((2, STEPS), np.float32), r"history: got shape \(2, 40\), needed \[series, steps, channels\]"),
        (np.zeros((0, STEPS, 1), np.float32), r"history: got shape \(0, 40, 1\), needed .* at least 1"),
        (np.zeros((2, STEPS, 1), np.int64), "history: got int64, needed floating-point"),
        (np.full((2, STEPS, 1), np.nan, np.float32), "history: got 80 NaN or infinite values"),
    ],
)
def test_bad_history_is_named(fitted: Forecaster, history: np.ndarray, message: str) -> None:
    future = np.zeros((2, HORIZON, 1), np.float32)
    with pytest.raises(ValueError, match=message):
        fitted.predict_ahead(history, HORIZON)
    with pytest.raises(ValueError, match=message):
        type(fitted)().fit(history, future)


@pytest.mark.parametrize("steps", [0, -1, 1.5, True])
def test_bad_steps_are_named(fitted: Forecaster, steps: int) -> None:
    with pytest.raises(ValueError, match=f"steps: got {steps!r}, needed a whole number of at least 1"):
        fitted.predict_ahead(noisy_sines(1)[:, :STEPS], steps)


def test_history_and_future_must_belong_together() -> None:
    with pytest.raises(ValueError, match=r"got history \(2, 40, 1\) and future \(3, 5, 1\)"):
        LastValue().fit(noisy_sines(2)[:, :STEPS], noisy_sines(3)[:, STEPS:])


def test_last_value_is_repeated() -> None:
    history = noisy_sines(3, channels=2)[:, :STEPS]
    forecasts = LastValue().predict_ahead(history, 4)
    for step in range(4):
        assert_array_equal(forecasts[:, step], history[:, -1])


def test_moving_average_weighs_by_powers() -> None:
    series, alpha = noisy_sines(1)[0, :STEPS, 0].astype(np.float64), 0.3
    weights = alpha * (1 - alpha) ** np.arange(STEPS)
    weights[-1] = (1 - alpha) ** (STEPS - 1)  # the first value is where the average starts
    assert weights.sum() == pytest.approx(1)
    forecast = MovingAverage(alpha=alpha).predict_ahead(series[None, :, None], 2)
    assert_allclose(forecast[0, :, 0], np.dot(weights, series[::-1]), rtol=1e-6)


def test_moving_average_fits_its_weight_to_the_series() -> None:
    random = np.random.default_rng(1)
    noise = (3 + random.standard_normal(400)).reshape(1, -1, 1)
    assert MovingAverage().predict_ahead(noise, 1).item() == pytest.approx(noise.mean(), abs=0.15)
    walk = random.standard_normal(400).cumsum().reshape(1, -1, 1)
    assert MovingAverage().predict_ahead(walk, 1).item() == pytest.approx(walk[0, -1, 0], abs=0.15)


@pytest.mark.parametrize("alpha", [0.0, -0.1, 1.5, "half", True])
def test_moving_average_refuses_a_weight_out_of_range(alpha: float) -> None:
    with pytest.raises(ValueError, match=r"moving_average.alpha: got .*, needed a number above 0 and at most 1"):
        MovingAverage(alpha=alpha)


def test_arima_beats_the_last_value_on_sines(arima: Arima) -> None:
    series = noisy_sines(30, seed=5)
    history, future = series[:, :STEPS], series[:, STEPS:]
    error = np.mean((arima.predict_ahead(history, HORIZON) - future) ** 2)
    baseline = np.mean((LastValue().predict_ahead(history, HORIZON) - future) ** 2)
    assert error < 0.2 * baseline


@pytest.mark.filterwarnings("ignore:possible convergence problem")
def test_arima_goes_on_with_a_sine_it_has_seen() -> None:
    time = np.arange(STEPS + HORIZON)
    sine = np.sin(0.4 * time) + 0.5 * np.sin(0.9 * time)
    forecast = forecast_one(sine[:STEPS], HORIZON, Order(4, 0, 0, 0, False), season_length=1)
    assert_allclose(forecast, sine[STEPS:], atol=1e-3)


def test_arima_adds_trend_and_season_back() -> None:
    time = np.arange(48 + 12)
    series = 5.0 + 0.3 * time + np.tile([0.0, 2.0, -1.0, 4.0], 15)
    series += 0.01 * np.random.default_rng(0).standard_normal(60)
    forecast = forecast_one(series[:48], 12, Order(1, 1, 0, 1, False), season_length=4)
    assert_allclose(forecast, series[48:], atol=0.2)


def test_arima_estimates_coefficients_and_mean() -> None:
    random = np.random.default_rng(3)
    series = np.empty(4000)
    level = 10.0
    for step in range(len(series)):
        level = 10 + 0.8 * (level - 10) + random.standard_normal()
        series[step] = level
    forecast = forecast_one(series, 60, Order(1, 0, 0, 0, True), season_length=1)
    assert forecast[0] - forecast[-1] == pytest.approx(0.8 * (series[-1] - 10), abs=0.2)
    assert forecast[-1] == pytest.approx(10, abs=0.3)


def test_arima_fits_moving_averages() -> None:
    noise = np.random.default_rng(4).standard_normal(3001)
    series = noise[1:] + 0.6 * noise[:-1]
    forecast = forecast_one(series, 3, Order(0, 0, 1, 0, False), season_length=1)
    assert forecast[0] == pytest.approx(0.6 * noise[-1], abs=0.1)
    assert_allclose(forecast[1:], 0, atol=1e-8)


def test_arima_scales_with_the_series() -> None:
    series = noisy_sines(1)[0, :STEPS, 0].astype(np.float64)
    order = Order(6, 0, 0, 0, False)
    small, large = (forecast_one(series * scale, 8, order, season_length=1) for scale in (1e-6, 1e6))
    assert_allclose(small * 1e12, large, rtol=1e-6)


def test_an_explosive_autoregression_is_made_stationary() -> None:
    explosive = -np.poly([1.25, 0.5 + 1j, 0.5 - 1j, 0.3])[1:]
    roots = np.roots(np.r_[1.0, -stationary(explosive)])
    assert_allclose(np.sort(np.abs(roots)), [0.3, 0.8, 1 / np.hypot(0.5, 1), 1 / np.hypot(0.5, 1)], rtol=1e-9)
    calm = np.array([0.5, 0.2])
    assert_array_equal(stationary(calm), calm)


@pytest.mark.parametrize(
    "series",
    [np.zeros(STEPS), np.full(STEPS, 7.0), np.arange(STEPS, dtype=float), 1.2 ** np.arange(STEPS), np.eye(STEPS)[20]],
    ids=["zeros", "constant", "line", "explosive", "pulse"],
)
@pytest.mark.parametrize("order", [Order(13, 0, 0, 0, False), Order(2, 0, 2, 0, True), Order(0, 1, 0, 0, False)])
def test_arima_survives_degenerate_series(series: np.ndarray, order: Order) -> None:
    arima = Arima()
    arima.order = order
    forecasts = arima.predict_ahead(series[None, :, None], 500)
    assert np.isfinite(forecasts).all()
    if series.std() == 0:
        assert_allclose(forecasts, series[-1], atol=1e-2)


def test_arima_proposes_short_and_long_orders_and_the_random_walk() -> None:
    proposed = propose(rows(noisy_sines(4)[:, :STEPS]), season_length=1)
    assert {order.p for order in proposed} >= {0, STEPS // 4, STEPS // 3, STEPS * 2 // 5}
    assert Order(0, 1, 0, 0, False) in proposed
    assert all(order.steps_needed(1) <= STEPS for order in proposed)


def test_arima_keeps_only_its_order(arima: Arima, tmp_path) -> None:
    other = Arima(season_length=arima.season_length)
    other.restore(arima.state(), tmp_path)
    history = noisy_sines(3, seed=8)[:, :STEPS]
    assert other.order == arima.order
    assert_array_equal(other.predict_ahead(history, 6), arima.predict_ahead(history, 6))


def test_arima_says_when_the_history_is_too_short(arima: Arima) -> None:
    with pytest.raises(ValueError, match="history: got 9 steps, needed at least 10"):
        Arima().fit(np.zeros((2, 9, 1)), np.zeros((2, 1, 1)))
    with pytest.raises(ValueError, match=r"history: got 2 steps, needed at least \d+ for arima"):
        arima.predict_ahead(np.zeros((1, 2, 1)), 1)
    with pytest.raises(RuntimeError, match="arima: predict_ahead before fit"):
        Arima().predict_ahead(np.zeros((1, STEPS, 1)), 1)


@pytest.mark.parametrize("setting", ["searched", "compared", "season_length"])
def test_arima_refuses_settings_below_one(setting: str) -> None:
    with pytest.raises(ValueError, match=f"arima.{setting}: got 0, needed a whole number of at least 1"):
        Arima(**{setting: 0})  # type: ignore[arg-type]
