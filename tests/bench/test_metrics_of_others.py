"""Our metrics against those of utilsforecast, and Naive2 against figures of the M3 competition."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from bench import metrics
from bench.data.datasets import open_data
from bench.data.naive2 import naive2
from bench.tasks import ALL

SEASON, AHEAD = 4, 6


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame, dict[str, np.ndarray]]:
    """What was known and what came, as frames and as arrays [N, H, 1]."""
    random = np.random.default_rng(3)
    known, came, arrays = [], [], {"truth": [], "forecast": [], "naive": [], "naive_squared": []}
    for name in range(5):
        values = 50 * (name + 1) + random.normal(size=40).cumsum()
        forecast = values[-AHEAD:] + random.normal(size=AHEAD)
        changes = values[SEASON:-AHEAD] - values[: -AHEAD - SEASON]
        known.append(pd.DataFrame({"unique_id": name, "ds": range(40 - AHEAD), "y": values[:-AHEAD]}))
        came.append(pd.DataFrame({"unique_id": name, "ds": range(40 - AHEAD, 40), "y": values[-AHEAD:], "m": forecast}))
        found = (values[-AHEAD:], forecast, [abs(changes).mean()], [(changes**2).mean()])
        for key, array in zip(arrays, found, strict=True):
            arrays[key].append(np.asarray(array)[:, None])
    return pd.concat(known), pd.concat(came), {key: np.array(value) for key, value in arrays.items()}


@pytest.mark.parametrize("name", ["mse", "mae", "rmse", "smape", "mase", "rmsse"])
def test_metrics_are_those_of_utilsforecast(name: str, frames: tuple) -> None:
    known, came, arrays = frames
    needs = {"mase": ("naive",), "rmsse": ("naive_squared",)}.get(name, ())
    more = {"seasonality": SEASON, "train_df": known} if needs else {}
    theirs = getattr(losses, name)(came, models=["m"], **more)["m"]
    ours = getattr(metrics, name)(arrays["forecast"], arrays["truth"], *(arrays[key] for key in needs))
    if name == "rmse":
        assert ours**2 == pytest.approx((theirs**2).mean()), "of all series together"
    else:
        assert ours == pytest.approx(theirs.mean() * (200 if name == "smape" else 1)), "theirs is from 0 to 1"


def test_scaled_errors_and_owa_are_those_of_utilsforecast(frames: tuple) -> None:
    """Of each series over its spread; WAPE is their nd of one series; OWA is of their sMAPE and MASE."""
    known, came, arrays = frames
    spread = known.groupby("unique_id")["y"].std(ddof=0)
    scaled = came.assign(**{name: came[name] / came["unique_id"].map(spread) for name in ("y", "m")})
    over = spread.to_numpy()[:, None, None]
    for name in ("mse", "mae"):
        theirs = getattr(losses, name)(scaled, models=["m"])["m"].mean()
        assert getattr(metrics, name)(arrays["forecast"] / over, arrays["truth"] / over) == pytest.approx(theirs)
    for place, theirs in enumerate(losses.nd(came, models=["m"])["m"]):
        one = slice(place, place + 1)
        assert metrics.wape(arrays["forecast"][one], arrays["truth"][one]) == pytest.approx(100 * theirs)
    both = came.assign(n=came["y"] + 2 * (came["m"] - came["y"]))
    size, relative = losses.smape(both, models=["m", "n"]), losses.mase(both, ["m", "n"], SEASON, known)
    theirs = sum(one["m"].mean() / one["n"].mean() for one in (size, relative)) / 2
    naive2 = arrays["truth"] + 2 * (arrays["forecast"] - arrays["truth"])
    assert metrics.owa(arrays["forecast"], arrays["truth"], naive2, arrays["naive"]) == pytest.approx(theirs)


def test_errors_of_intervals_are_those_of_utilsforecast(frames: tuple) -> None:
    """All series are equally long, so that their means over series are those over all values."""
    _, came, arrays = frames
    bounded = came.assign(**{"m-lo-90": came["m"] - 1, "m-hi-90": came["m"] + 0.5})
    bounds = arrays["forecast"] - 1, arrays["forecast"] + 0.5
    held = losses.coverage(bounded, models=["m"], level=90)["m"].mean()
    assert metrics.coverage(arrays["forecast"], arrays["truth"], bounds) == pytest.approx(100 * held)
    columns = zip((0.05, 0.5, 0.95), ("m-lo-90", "m", "m-hi-90"), strict=True)
    pinball = [losses.quantile_loss(bounded, {"m": column}, q=share)["m"].mean() for share, column in columns]
    theirs = 200 * np.mean(pinball) / came["y"].abs().mean()
    ours = metrics.quantile_loss(arrays["forecast"], arrays["truth"], bounds)
    assert ours == pytest.approx(theirs)
    assert ours == pytest.approx(
        100 * wql(arrays["truth"], {0.05: bounds[0], 0.5: arrays["forecast"], 0.95: bounds[1]})
    )


def wql(truth: np.ndarray, quantiles: dict[float, np.ndarray]) -> float:
    """The WQL of fev (src/fev/metrics.py, commit 002ccae), a share: means over all values and quantiles."""
    made, levels = np.stack(list(quantiles.values()), axis=-1), np.array(list(quantiles))
    losses = 2 * abs((truth[..., None] - made) * ((truth[..., None] <= made) - levels))
    return float(losses.mean() / abs(truth).mean())


def test_the_wql_of_a_forecast_without_spread_is_its_wape(frames: tuple) -> None:
    """So fev's figure of seasonal naive forecasts can be compared: all their quantiles are the forecast."""
    truth, forecast = frames[2]["truth"], frames[2]["forecast"]
    same = {level / 10: forecast for level in range(1, 10)}
    assert metrics.wape(forecast, truth) == pytest.approx(100 * wql(truth, same))
    assert metrics.quantile_loss(forecast, truth, (forecast, forecast)) == pytest.approx(metrics.wape(forecast, truth))


def test_wape_and_owa_by_hand(frames: tuple) -> None:
    arrays = frames[2]
    truth, forecast, naive = arrays["truth"], arrays["forecast"], arrays["naive"]
    assert metrics.wape(forecast, truth) == pytest.approx(100 * abs(truth - forecast).sum() / abs(truth).sum())
    assert metrics.owa(forecast, truth, forecast, naive) == pytest.approx(1)
    twice = truth + 2 * (forecast - truth)
    expected = (metrics.smape(forecast, truth) / metrics.smape(twice, truth) + 0.5) / 2
    assert metrics.owa(forecast, truth, twice, naive) == pytest.approx(expected)
    assert metrics.owa(forecast, truth, None, naive) is None and metrics.owa(forecast, truth, truth, naive) is None


def test_naive2_takes_a_season_off_and_puts_it_back() -> None:
    indices = np.array([0.8, 1.0, 1.4, 0.8])
    values = np.tile(indices, 8) * np.linspace(100, 131, 32)
    made = naive2(values, 4, 4)
    np.testing.assert_allclose(made / made.mean(), indices, rtol=0.02)
    assert naive2(values, 1, 3).tolist() == [values[-1]] * 3
    noise = np.random.default_rng(0).normal(10, 1, 40)
    assert naive2(noise, 4, 2).tolist() == [noise[-1]] * 2, "no season shows"


@pytest.mark.parametrize(("task", "published"), [("m3-yearly", 17.88), ("m3-other", 6.30)])
def test_naive2_has_the_error_that_the_m3_competition_printed(task: str, published: float) -> None:
    """Makridakis & Hibon 2000, doi:10.1016/S0169-2070(00)00057-1, table 6."""
    prepared = open_data(ALL[task], {}).prepared
    part = prepared.parts.test
    assert metrics.smape(prepared.naive2_of(part), prepared.truth(part)) == pytest.approx(published, abs=0.005)
