"""The contract of every method: `fit`, then `predict_ahead`.

Shapes, by letters used throughout:

    N series, T history steps, H steps ahead (the horizon), D channels
    history [N, T, D], future [N, H, D], forecasts [N, steps, D], all NumPy float32

A method that can may answer other kinds of questions too, see `implementations.kinds`: `predict_class`, `fill_in`.
"""

from __future__ import annotations

import functools
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Self, cast, dataclass_transform

import numpy as np

from implementations.kinds import CLASSIFY, FORECAST, IMPUTE

Setting = int | float | str | bool | None
OF_A_RUN = ("backend", "seed", "name", "native", "kind")  # fields that are no settings


def check_windows(history: np.ndarray, future: np.ndarray | None = None, kind: str = FORECAST) -> None:
    """Raise ValueError unless history is [N, T, D] and future, if given, [N, H, D]: finite floats, no axis empty.

    kind: of impute, the history has NaN at hidden steps; of classify, the future is one-hot, [N, C, 1].
    """
    for name, array in (("history", history), ("future", future)):
        if array is None:
            continue
        if array.ndim != 3 or 0 in array.shape:
            raise ValueError(f"{name}: got shape {array.shape}, needed [series, steps, channels], each at least 1")
        if not np.issubdtype(array.dtype, np.floating):
            raise ValueError(f"{name}: got {array.dtype}, needed floating-point numbers")
        wrong = np.isinf(array) if kind == IMPUTE and name == "history" else ~np.isfinite(array)
        if wrong.any():
            raise ValueError(f"{name}: got {np.sum(wrong)} NaN or infinite values, needed finite ones")
    channels = 1 if kind == CLASSIFY else history.shape[2]
    if future is not None and (history.shape[0], channels) != (future.shape[0], future.shape[2]):
        raise ValueError(f"got history {history.shape} and future {future.shape}, needed equal series and channels")


def check_steps(steps: int) -> None:
    """Raise ValueError unless steps is a whole number of at least 1."""
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps: got {steps!r}, needed a whole number of at least 1")


def check_fit(history: np.ndarray, future: np.ndarray, kind: str) -> None:
    """Raise ValueError for windows that nothing can be learnt from, see `check_windows`."""
    check_windows(history, future, kind)


def check_call(history: np.ndarray, steps: int, _kind: str) -> None:
    """Raise ValueError for a history or steps that nothing can be forecast from."""
    check_windows(history)
    check_steps(steps)


def checked(method: Callable[..., Any], check: Callable[[Any, Any, str], None]) -> Callable[..., Any]:
    """Return the method with its first two arguments checked."""

    @functools.wraps(method)
    def call(self: Any, history: Any, second: Any = None, *rest: Any, **named: Any) -> Any:
        name = "future" if check is check_fit else "steps"
        second = named.pop(name, second)
        check(history, second, self.kind)
        return method(self, history, second, *rest, **named)

    return call


@dataclass(kw_only=True, eq=False, repr=False)
@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(field,))
class Forecaster(ABC):
    """A method that learns from windows and forecasts any number of steps ahead.

    Every subclass becomes a dataclass: its fields are its settings, stated once with their defaults. A
    name without a default, as in `gains: np.ndarray`, is no setting: `fit` gives it its value.
    A subclass from outside has its windows and steps checked before its `fit` and `predict_ahead` see them.
    `backend` and `seed` say where and from which random numbers it runs, `name` what METHODS calls it, and `native`
    whether its layers keep their framework's own defaults (see `implementations.framework_defaults`), and `kind` what
    it is asked (see `implementations.kinds`).
    """

    backends: ClassVar[tuple[str, ...]] = ("numpy",)
    #: True where the method deals with trend and season itself: it is given the series as they are, scaled alone, even
    #: where others are given differences
    takes_levels: ClassVar[bool] = False
    #: the kinds of questions that it answers, see `implementations.kinds`
    kinds: ClassVar[tuple[str, ...]] = ("forecast",)
    #: settings that a record leaves out while they have these values
    off: ClassVar[Mapping[str, Any]] = {}
    #: at most two settings that `bench tune` searches besides the learning rate and the epochs, and the values it tries
    search_space: ClassVar[Mapping[str, tuple[Setting, ...]]] = {}

    backend: str = "numpy"
    seed: int = 42
    name: str = ""
    native: bool = False
    kind: str = "forecast"

    #: per epoch: loss, val_loss, val_last_step_mse, and the training seconds so far; empty for methods without epochs
    curve: dict[str, list[float]] = field(default_factory=dict, init=False)
    #: [N, 2] of the windows that fit is given: which series each is of, and the step that it begins at; None where
    #: each is a series of its own. What is held out of overlapping windows has to be apart from the others in time.
    places: np.ndarray | None = field(default=None, init=False)
    #: what fit took, in seconds: build, first_step (compilation), fit (training), validate; empty: all of it is fit
    seconds: dict[str, float] = field(default_factory=dict, init=False)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name in cls.__dict__.get("__annotations__", {}):
            if not hasattr(cls, name):
                setattr(cls, name, field(init=False))
        if not cls.__module__.startswith("implementations."):  # those here check for themselves
            for name, check in (("fit", check_fit), ("predict_ahead", check_call)):
                if name in cls.__dict__:
                    setattr(cls, name, checked(cls.__dict__[name], check))
        dataclass(kw_only=True, eq=False, repr=False)(cls)  # fields are not compared, and `==` takes long to make

    def __repr__(self) -> str:
        settings = {"backend": self.backend, "seed": self.seed, **self.settings()}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in settings.items())})"

    @abstractmethod
    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        """Learn from history [N, T, D] and future [N, H, D].

        `validation` is another such pair: watched for the learning curve, never trained on.
        Raises ValueError for a wrong shape, a NaN or an infinity; FloatingPointError when training diverges.
        """

    @abstractmethod
    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        """Forecast [N, steps, D] float32 after history [N, T, D], for any steps >= 1."""

    def predict_class(self, history: np.ndarray) -> np.ndarray:
        """Return the probability [N, C] float32 of each class of history [N, T, D], where `kind` is classify."""
        raise NotImplementedError(f"{type(self).__name__} does not classify")

    def fill_in(self, history: np.ndarray) -> np.ndarray:
        """Return the hidden steps [N, G, D] float32 of history [N, T, D], NaN there, where `kind` is impute."""
        raise NotImplementedError(f"{type(self).__name__} does not impute")

    def outputs(self, history: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all that the method is trained to output on these series, and the truth: two arrays of one shape.

        For a sequence method [N, T', H * D]: the forecasts made at every step. For others: the forecast, [N, H, D].
        """
        return answer(self, history, future.shape[1]), future

    def parameters(self) -> int:
        """Count the numbers that were trained."""
        return 0

    def weights(self) -> list[np.ndarray]:
        """Return what was learnt, as arrays in a fixed order: the record keeps their digest."""
        return []

    def state(self) -> dict[str, Any]:
        """Return what was learnt apart from the weights, as JSON values: `save` writes it, `restore` takes it back."""
        return {}

    def restore(self, state: dict[str, Any], folder: Path) -> None:  # noqa: B027  (nothing learnt, nothing to do)
        """Take back what `save` wrote, instead of fitting."""

    @classmethod
    def defaults(cls) -> dict[str, Setting]:
        """Return the settings with their defaults, in order."""
        own = [one for one in fields(cls) if one.init and one.default is not MISSING and one.name not in OF_A_RUN]
        own.sort(key=lambda one: one.name in cls.off)  # those of training last
        return {one.name: cast(Setting, one.default) for one in own}

    @classmethod
    def adapted(cls, settings: dict[str, Setting], season: int | None) -> dict[str, Setting]:
        """Return the default settings as they suit series from a file.

        season: steps in a season of the series, None for none; it becomes the setting `season_length`, where there is
        one.
        """
        return {**settings, "season_length": season} if season and "season_length" in settings else settings

    def settings(self) -> dict[str, Setting]:
        """Return the settings as they are, in order."""
        return {name: getattr(self, name) for name in self.defaults()}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return all arguments that make such a forecaster, as scikit-learn does; deep changes nothing here."""
        return {**{name: getattr(self, name) for name in OF_A_RUN}, **self.settings()}

    def set_params(self, **params: Any) -> Self:
        """Change arguments before `fit`, as scikit-learn does. Raises ValueError for one that it does not have."""
        for name in params:
            if name not in self.get_params():
                raise ValueError(f"{type(self).__name__}: got {name!r}, allowed: {', '.join(self.get_params())}")
        made = type(self)(**{**self.get_params(), **params})  # checks the values
        vars(self).update({name: getattr(made, name) for name in params})
        return self

    def save(self, folder: Path) -> None:
        """Write the fitted forecaster to a folder: forecaster.json, and the network in its framework's own format."""
        folder.mkdir(parents=True, exist_ok=True)
        made = {
            "method": self.name, "backend": self.backend, "seed": self.seed, "native": self.native,
            "settings": self.settings(),
        }  # fmt: skip
        made |= {"kind": self.kind} if self.kind != FORECAST else {}
        (folder / "forecaster.json").write_text(json.dumps({**made, "state": self.state()}, indent=1), encoding="utf-8")


def answer(forecaster: Forecaster, history: np.ndarray, steps: int) -> np.ndarray:
    """Return what is asked of history [N, T, D], in the shape of the future that `fit` takes: [N, steps, D or 1]."""
    if forecaster.kind == CLASSIFY:
        return forecaster.predict_class(history)[:, :, None]
    return forecaster.fill_in(history) if forecaster.kind == IMPUTE else forecaster.predict_ahead(history, steps)
