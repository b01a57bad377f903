"""Errors of forecasts against the truth, all on one screen: arrays of one shape in, float64 inside.

METRICS is the one list. A metric added to it is computed for every new run (`compute`), stored in its record, and
shown wherever its entry says; older records are read as they are, without it. NumPy is not imported here: a list of
runs takes less time than that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bench.text import decimals, digits
from implementations.kinds import CLASSIFY, FORECAST, IMPUTE, KINDS

if TYPE_CHECKING:
    import numpy as np

    Bounds = tuple[np.ndarray, np.ndarray]  # lower and upper

#: what is scored: all that the method is trained to output, or the H values forecast from the last history step
Part = Literal["outputs", "validation", "test"]
#: each series over its spread, so that no large one drowns the others; or the data's own units, for series of a file
Scale = Literal["scaled", "original"]
Place = Literal["list", "board", "page", "compare", "verify", "series"]  # series: the board's table in own units


LEVEL = 90  # percent: the intervals that are scored, of methods that give them


def errors(forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return truth - forecast in float64. Raises ValueError when the shapes differ: broadcasting would hide it."""
    if forecast.shape != truth.shape:
        raise ValueError(f"got forecasts {list(forecast.shape)}, needed the truth's shape {list(truth.shape)}")
    difference: np.ndarray = truth.astype("float64") - forecast.astype("float64")
    return difference


def mse(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean squared error."""
    return float((errors(forecast, truth) ** 2).mean())


def rmse(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Return the root of the mean squared error."""
    return float(mse(forecast, truth) ** 0.5)


def mae(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean absolute error."""
    return float(abs(errors(forecast, truth)).mean())


def smape(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Return the symmetric mean absolute percentage error, 0 to 200; 0 where both are 0 (Makridakis 1993)."""
    size = abs(truth.astype("float64")) + abs(forecast.astype("float64"))
    return float(200 * (abs(errors(forecast, truth)) / (size + (size == 0))).mean())


def wape(forecast: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the sum of absolute errors in percent of the sum of absolute values; None where all values are 0."""
    size = float(abs(truth.astype("float64")).sum())
    return 100 * float(abs(errors(forecast, truth)).sum()) / size if size else None


def mase(forecast: np.ndarray, truth: np.ndarray, naive: np.ndarray) -> float | None:
    """Return the mean absolute scaled error (Hyndman & Koehler 2006): each error over its series' naive [N, 1, D].

    Series whose naive error is 0 have no scale and do not count; None where no series has one.
    """
    scaled = abs(errors(forecast, truth)) / (naive + (naive == 0))
    counted = (naive > 0) & (scaled == scaled)  # as large as the truth
    return float(scaled[counted].mean()) if counted.any() else None


def rmsse(forecast: np.ndarray, truth: np.ndarray, naive_squared: np.ndarray) -> float | None:
    """Return the root mean squared scaled error (M5, Makridakis et al. 2022), the mean over windows and channels.

    Each window's mean squared error is divided by its series' mean squared naive error [N, 1, D]. Series where that is
    0 do not count; None where it is 0 in all.
    """
    scaled = (errors(forecast, truth) ** 2).mean(axis=1, keepdims=True) / (naive_squared + (naive_squared == 0))
    counted = naive_squared > 0
    return float((scaled[counted] ** 0.5).mean()) if counted.any() else None


def coverage(_forecast: np.ndarray, truth: np.ndarray, bounds: Bounds | None) -> float | None:
    """Return how much of the truth lies within the bounds, in percent; None without bounds."""
    if bounds is None:
        return None
    return 100 * float(((bounds[0] <= truth) & (truth <= bounds[1])).mean())


def quantile_loss(forecast: np.ndarray, truth: np.ndarray, bounds: Bounds | None) -> float | None:
    """Return the weighted quantile loss of both bounds and the forecast, as the median; None without bounds.

    Twice the sum of pinball losses, in percent of the sum of absolute values, mean over the three quantiles; of the
    median alone it is the WAPE (Salinas et al. 2020, doi:10.1016/j.ijforecast.2019.07.001).
    """
    size = float(abs(truth.astype("float64")).sum())
    if bounds is None or not size:
        return None
    tail = (1 - LEVEL / 100) / 2
    missed = [errors(quantile, truth) for quantile in (bounds[0], forecast, bounds[1])]
    losses = [share * error + (error < 0) * -error for share, error in zip((tail, 0.5, 1 - tail), missed, strict=True)]
    return 200 * float(sum(loss.sum() for loss in losses)) / (3 * size)


def owa(forecast: np.ndarray, truth: np.ndarray, naive2: np.ndarray | None, naive: np.ndarray | None) -> float | None:
    """Return the overall weighted average (M4, Makridakis et al. 2020): mean of sMAPE and MASE over those of Naive2.

    None where there is no Naive2 forecast [N, H, D], and where it has no error to compare with.
    """
    if naive2 is None or naive is None:
        return None
    size, scaled = smape(naive2, truth), mase(naive2, truth, naive)
    ours = mase(forecast, truth, naive)
    return (smape(forecast, truth) / size + ours / scaled) / 2 if size and scaled and ours is not None else None


def mse_by_step(forecast: np.ndarray, truth: np.ndarray) -> list[float]:
    """Return the mean squared error of [N, H, D] for each step ahead: H values."""
    return [float(value) for value in (errors(forecast, truth) ** 2).mean(axis=(0, 2))]


def cross_entropy(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean cross-entropy in nats of class probabilities against one-hot truth, [N, C, 1]."""
    from implementations.answers import cross_entropy as of_each

    errors(found, truth)
    return float(of_each(found, truth).mean())


def accuracy(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the share in percent of series whose most probable class is the true one, [N, C, 1]."""
    errors(found, truth)
    return 100 * float((found.argmax(axis=1) == truth.argmax(axis=1)).mean())


def undefined(forecast: np.ndarray, truth: np.ndarray) -> None:
    """Stand for a metric that windows alone do not tell: it is added where their series are known."""


@dataclass(frozen=True)
class Compared:
    """What a metric sees: forecasts and the truth [N, H, D], and for series of a file the naive errors [N, 1, D]."""

    forecast: np.ndarray
    truth: np.ndarray
    naive: np.ndarray | None = None  # mean absolute error of the seasonal naive forecast in the training part
    naive_squared: np.ndarray | None = None  # the same squared, before the mean
    bounds: Bounds | None = None  # of methods with intervals: those of LEVEL, [N, H, D] each
    naive2: np.ndarray | None = None  # forecasts [N, H, D] of Naive2, where origins are counted as in competitions

    def window(self, place: int) -> Compared:
        """Return what a metric sees of one window alone."""
        one = slice(place, place + 1)
        naive, naive_squared, naive2 = (
            None if array is None else array[one] for array in (self.naive, self.naive_squared, self.naive2)
        )
        bounds = self.bounds and (self.bounds[0][one], self.bounds[1][one])
        return Compared(self.forecast[one], self.truth[one], naive, naive_squared, bounds, naive2)


def windows(compared: Compared) -> float:
    """Return how many windows there are: what the mean over some of them weighs."""
    return len(compared.truth)


def total(compared: Compared) -> float:
    """Return the sum of absolute values."""
    return float(abs(compared.truth.astype("float64")).sum())


def with_scale(compared: Compared) -> float:
    """Return how many windows and channels have a naive error above 0."""
    return 0.0 if compared.naive is None else float((compared.naive > 0).sum())


@dataclass(frozen=True)
class Metric:
    """One number of a run: its name in records, its label for people, and what it is computed from."""

    name: str
    label: str
    function: Callable[..., float | None]  # of forecast, truth, and what `needs` names; None: not defined on this data
    part: Part = "validation"
    scale: Scale = "scaled"
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    decimals: int | None = None  # shown; None: four significant digits
    needs: tuple[str, ...] = ()  # further fields of Compared
    #: of windows that are too many for the memory, parts are computed apart: a part weighs so much in the mean of all
    weight: Callable[[Compared], float] = windows
    power: int = 1  # of which that mean is taken
    kinds: tuple[str, ...] = (FORECAST, IMPUTE)  # of questions that it measures the answers to
    shown: tuple[Place, ...] = ("board", "page", "compare")

    def __call__(self, compared: Compared) -> float | None:
        """Return the metric of these forecasts."""
        return self.function(compared.forecast, compared.truth, *(getattr(compared, name) for name in self.needs))

    def combined(self, values: Sequence[tuple[float, float]]) -> float | None:
        """Return the metric of all windows from those of parts, each with its weight; None where there is none."""
        if len(values) < 2:
            return values[0][0] if values else None
        weights = sum(weight for _, weight in values)
        mean = sum(weight * value**self.power for value, weight in values) / weights
        return float(mean ** (1 / self.power))

    def text(self, value: float) -> str:
        """Write a value as a person reads it."""
        return digits(value) if self.decimals is None else decimals(value, self.decimals)

    @property
    def title(self) -> str:
        """The label with its unit, as a table's header."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


def in_units(name: str, label: str, function: Callable[..., float | None], **more: Any) -> tuple[Metric, Metric]:
    """Return a metric in the data's own units, of the validation part and of the test part."""
    of_both: dict[str, Any] = {"scale": "original", "shown": ("series",), **more}
    return (
        Metric(f"original_{name}", label, function, "validation", **of_both),
        Metric(f"original_test_{name}", f"test {label}", function, "test", **of_both),
    )


#: every record of a finished run has these: of classes they are the squared errors of probabilities
REQUIRED = ("last_step_mse", "val_mse", "test_mse")


class Main(NamedTuple):
    """The metrics that rank the answers to a kind of question, by name: on the validation and on the test part."""

    validation: str
    test: str


MAIN = {
    FORECAST: Main("last_step_mse", "test_mse"),
    CLASSIFY: Main("cross_entropy", "test_cross_entropy"),
    IMPUTE: Main("masked_mse", "test_masked_mse"),
}

_VALIDATION, _TEST = zip(
    in_units("rmse", "RMSE", rmse, power=2),
    in_units("mae", "MAE", mae),
    in_units("smape", "sMAPE", smape, unit="%", decimals=1),
    in_units("mase", "MASE", mase, decimals=3, needs=("naive",), weight=with_scale),
    in_units("rmsse", "RMSSE", rmsse, decimals=3, needs=("naive_squared",), weight=with_scale),
    in_units("wape", "WAPE", wape, unit="%", decimals=1, weight=total),
    in_units("owa", "OWA", owa, decimals=3, needs=("naive2", "naive")),
    strict=True,
)

#: what is measured of intervals, of the test part
_INTERVALS: dict[str, Any] = {
    "part": "test", "scale": "original", "unit": "%", "decimals": 1, "needs": ("bounds",), "shown": ("series",),
}  # fmt: skip

METRICS = {
    metric.name: metric
    for metric in (
        Metric("last_step_mse", "last-step MSE", mse, kinds=KINDS,
               shown=("list", "board", "page", "compare", "verify")),
        Metric("val_mse", "val MSE", mse, "outputs", kinds=KINDS, shown=("list", "board", "page", "verify")),
        Metric("test_mse", "test MSE", mse, "test", kinds=KINDS, shown=("board", "page", "compare", "verify")),
        Metric("cross_entropy", "val cross-entropy", cross_entropy, kinds=(CLASSIFY,), shown=("compare",)),
        Metric("test_cross_entropy", "test cross-entropy", cross_entropy, "test", kinds=(CLASSIFY,),
               shown=("compare",)),
        Metric("accuracy", "val accuracy", accuracy, unit="%", better="higher", decimals=1, kinds=(CLASSIFY,)),
        Metric("test_accuracy", "test accuracy", accuracy, "test", unit="%", better="higher", decimals=1,
               kinds=(CLASSIFY,)),
        Metric("masked_mse", "val MSE of hidden steps", mse, kinds=(IMPUTE,), shown=()),
        Metric("test_masked_mse", "test MSE of hidden steps", mse, "test", kinds=(IMPUTE,), shown=()),
        Metric("val_mae", "val MAE", mae, shown=()),
        Metric("val_smape", "val sMAPE", smape, unit="%", decimals=1, shown=()),
        Metric("test_mae", "test MAE", mae, "test", shown=()),
        *_VALIDATION,
        *_TEST,
        Metric("original_test_coverage", f"test {LEVEL} % interval holds", coverage, **_INTERVALS),
        Metric("original_test_quantile_loss", "test quantile loss", quantile_loss, weight=total, **_INTERVALS),
        Metric("test_largest_share", "largest share", undefined, "test", unit="% of test MSE", decimals=0,
               shown=("series",)),
    )
}  # fmt: skip


def shown(place: Place) -> list[Metric]:
    """Return the metrics that a place shows, in order."""
    return [metric for metric in METRICS.values() if place in metric.shown]


def compute(compared: Mapping[tuple[Part, Scale], Iterable[Compared]], kind: str = FORECAST) -> dict[str, float]:
    """Return every metric by name, of the parts and scales that there are, without those not defined on this data.

    kind: of question; some metrics belong to one alone.

    Windows may come in several parts, so that not all have to be in memory at once.
    """
    values: dict[str, list[tuple[float, float]]] = {}
    for place, chunks in compared.items():
        wanted = [one for one in METRICS.values() if (one.part, one.scale) == place and kind in one.kinds]
        for chunk in chunks:
            for metric in wanted:
                if (value := metric(chunk)) is not None:
                    values.setdefault(metric.name, []).append((value, metric.weight(chunk)))
    found = {name: metric.combined(values.get(name, [])) for name, metric in METRICS.items()}
    return {name: value for name, value in found.items() if value is not None}
