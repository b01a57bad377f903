"""A class that knows nothing of Forecaster, as one: its input is checked, and its attributes are saved."""

from __future__ import annotations

import inspect
from dataclasses import field, make_dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

import numpy as np

from implementations.forecaster import Forecaster, Setting, check_steps, check_windows
from implementations.kinds import IMPUTE, METHOD

ARRAYS = "arrays.npz"
SETTING_TYPES = (int, float, str, bool, type(None))


def as_forecaster(given: type) -> type[Forecaster]:
    """Return a Forecaster as it is; for another class one that wraps it, with its keyword arguments as settings."""
    if issubclass(given, Forecaster):
        return given
    namespace = {
        "given": given,
        "backends": tuple(getattr(given, "backends", ("numpy",))),
        "takes_levels": bool(getattr(given, "takes_levels", False)),
        "kinds": tuple(kind for kind, name in METHOD.items() if callable(getattr(given, name, None))),
        "__doc__": given.__doc__,
    }
    made: type[Forecaster] = make_dataclass(
        given.__name__, settings_of(given), bases=(Plain,), namespace=namespace, kw_only=True
    )
    return made


def settings_of(given: type) -> list[tuple[str, Any, Any]]:
    """List the keyword arguments of a class as fields of a dataclass: name, type and default.

    Raises ValueError for one without a default, or with one that is no plain value.
    """
    hints = get_type_hints(given.__init__) if given.__init__ is not object.__init__ else {}  # type: ignore[misc]
    fields = []
    for name, parameter in inspect.signature(given).parameters.items():
        if name == "seed" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty or not isinstance(parameter.default, SETTING_TYPES):
            raise ValueError(f"{given.__name__}.__init__: {name} needs a number, text, true, false or None as default")
        kind = hints.get(name, type(parameter.default))
        fields.append((name, kind, field(default=parameter.default)))
    return fields


class Plain(Forecaster):
    """A class that knows nothing of Forecaster: its input checked before it sees it, its attributes saved for it.

    It answers the kinds of questions that it has methods for; `fit` gets the kind where it takes a keyword `kind`.
    """

    given: ClassVar[type]

    def __post_init__(self) -> None:
        seed = {"seed": self.seed} if "seed" in inspect.signature(self.given).parameters else {}
        self.method: Any = self.given(**self.settings(), **seed)

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        check_windows(history, future, self.kind)
        more = {"validation": validation, "kind": self.kind}
        takes = inspect.signature(self.method.fit).parameters
        self.method.fit(history, future, **{name: value for name, value in more.items() if name in takes})
        self.curve = dict(getattr(self.method, "curve", {}))
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        check_windows(history)
        check_steps(steps)
        forecasts: np.ndarray = self.method.predict_ahead(history, steps)
        return forecasts

    def predict_class(self, history: np.ndarray) -> np.ndarray:
        check_windows(history)
        found: np.ndarray = self.method.predict_class(history)
        return found

    def fill_in(self, history: np.ndarray) -> np.ndarray:
        check_windows(history, kind=IMPUTE)
        filled: np.ndarray = self.method.fill_in(history)
        return filled

    def parameters(self) -> int:
        """Count the numbers in its arrays."""
        return sum(array.size for array in self.weights())

    def weights(self) -> list[np.ndarray]:
        """Return its array attributes, in the order of their names."""
        return [value for _, value in sorted(vars(self.method).items()) if isinstance(value, np.ndarray)]

    def save(self, folder: Path) -> None:
        super().save(folder)
        arrays = {name: value for name, value in vars(self.method).items() if isinstance(value, np.ndarray)}
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)

    def state(self) -> dict[str, Setting]:
        """Return its attributes that are plain values. Raises ValueError for what is neither that nor an array."""
        values = {name: as_plain(value) for name, value in vars(self.method).items() if name != "curve"}
        for name, value in values.items():
            if not isinstance(value, (*SETTING_TYPES, np.ndarray)):
                raise ValueError(
                    f"{type(self).__name__}.{name} is a {type(value).__name__}: numbers, texts and NumPy arrays are "
                    "saved; for more, subclass Forecaster and write state and restore"
                )
        return {name: value for name, value in values.items() if not isinstance(value, np.ndarray)}

    def restore(self, state: dict[str, Any], folder: Path) -> None:
        with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
            vars(self.method).update(state, **arrays)


def as_plain(value: Any) -> Any:
    """Return a NumPy scalar as Python's own; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
