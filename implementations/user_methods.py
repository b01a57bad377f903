"""Methods from outside this repository: a class in a file, `./mine.py:MyForecaster`, or an entry point of a package.

The class is a Forecaster, or any class with `fit` and `predict_ahead`: then `Plain` checks its input, and saves what it
has learnt. Its name here has a dot (mine.MyForecaster, package.name), so it is never taken for a method of ours.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass, make_dataclass
from dataclasses import field as dataclass_field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Self, get_type_hints

import numpy as np

from implementations.forecaster import Forecaster, Setting, check_steps, check_windows

GROUP = "aheadbench.methods"  # of entry points
ARRAYS = "arrays.npz"
SETTING_TYPES = (int, float, str, bool, type(None))


@dataclass(frozen=True)
class Found:
    """A method from outside: what it is called here, its class, and exactly which file or version it is."""

    name: str
    maker: type[Forecaster]
    reference: str  # mine.py:MyForecaster, or package:name
    version: str  # of the package, or the sha256 of the file


def is_reference(text: str) -> bool:
    """Whether a text names a class in a file, rather than a method by its name."""
    return bool(re.search(r"\.py(:|$)", text))


def from_file(reference: str) -> Found:
    """The class in `path/to/mine.py:MyForecaster`. Raises ValueError that says what is wrong with it."""
    path_text, _, class_name = reference.rpartition(":") if not reference.endswith(".py") else (reference, "", "")
    path = Path(path_text)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path_text!r} cannot be read: {error.strerror}") from None
    if not re.fullmatch(r"\w[\w-]*", path.stem, re.ASCII):
        raise ValueError(f"{path.name!r}: a file name of letters, digits, '_' and '-' is needed")
    module = run(path)
    candidates = [name for name, value in vars(module).items() if is_method(value, module)]
    if class_name not in candidates:
        missing = [one for one in ("fit", "predict_ahead") if not hasattr(getattr(module, class_name, None), one)]
        named = f"{class_name!r} has no {' and no '.join(missing)}" if hasattr(module, class_name) else "name a class"
        raise ValueError(f"{reference!r}: {named}; classes with fit and predict_ahead: {', '.join(candidates) or '-'}")
    name, version = f"{path.stem}.{class_name}", hashlib.sha256(content).hexdigest()
    return Found(name, adapted(getattr(module, class_name)), f"{path.name}:{class_name}", version)


def run(path: Path) -> ModuleType:
    """The module in a file, its folder among those that it imports from. Raises ValueError when it does not run."""
    spec = importlib.util.spec_from_file_location(f"outside_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look themselves up there
    folder = str(path.absolute().parent)
    if folder not in sys.path:
        sys.path.append(folder)
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ValueError(f"{path.name}, line {error.lineno}: {error.msg}") from None
    except Exception as error:
        raise ValueError(f"{path.name} cannot be imported: {type(error).__name__}: {error}") from None
    return module


def is_method(value: Any, module: ModuleType) -> bool:
    """Whether it is a class, written in the module, that can fit and forecast."""
    own = inspect.isclass(value) and value.__module__ == module.__name__
    return own and all(callable(getattr(value, name, None)) for name in ("fit", "predict_ahead"))


def packaged() -> dict[str, EntryPoint]:
    """The methods that installed packages offer, by name: looked up, not imported."""
    return {f"{point.dist.name}.{point.name}": point for point in entry_points(group=GROUP) if point.dist}


def from_package(name: str) -> Found:
    """The method of a package. Raises ValueError when it cannot be imported or is none."""
    point = packaged()[name]
    try:
        loaded = point.load()
    except Exception as error:
        raise ValueError(f"{name} cannot be imported: {type(error).__name__}: {error}") from None
    if not (inspect.isclass(loaded) and hasattr(loaded, "fit") and hasattr(loaded, "predict_ahead")):
        raise ValueError(f"{name}: {point.value} is not a class with fit and predict_ahead")
    return Found(name, adapted(loaded), f"{point.value}", point.dist.version if point.dist else "")


def adapted(given: type) -> type[Forecaster]:
    """A Forecaster as it is; for another class one that wraps it, with its keyword arguments as settings."""
    if issubclass(given, Forecaster):
        return given
    hints = get_type_hints(given.__init__) if given.__init__ is not object.__init__ else {}
    fields = []
    for name, parameter in inspect.signature(given).parameters.items():
        if name == "seed" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty or not isinstance(parameter.default, SETTING_TYPES):
            raise ValueError(f"{given.__name__}.__init__: {name} needs a number, text, true, false or None as default")
        kind = hints.get(name, type(parameter.default))
        fields.append((name, kind, dataclass_field(default=parameter.default)))
    backends = tuple(getattr(given, "backends", ("numpy",)))
    levels = bool(getattr(given, "takes_levels", False))
    namespace = {"given": given, "backends": backends, "takes_levels": levels, "__doc__": given.__doc__}
    made: Any = make_dataclass(given.__name__, fields, bases=(Plain,), namespace=namespace, kw_only=True)
    return made


class Plain(Forecaster):
    """A class that knows nothing of Forecaster: its input checked before it sees it, its attributes saved for it."""

    given: ClassVar[type]

    def __post_init__(self) -> None:
        seed = {"seed": self.seed} if "seed" in inspect.signature(self.given).parameters else {}
        self.method: Any = self.given(**self.settings(), **seed)

    def fit(
        self, history: np.ndarray, future: np.ndarray, validation: tuple[np.ndarray, np.ndarray] | None = None
    ) -> Self:
        check_windows(history, future)
        takes_validation = "validation" in inspect.signature(self.method.fit).parameters
        self.method.fit(history, future, **({"validation": validation} if takes_validation else {}))
        self.curve = dict(getattr(self.method, "curve", {}))
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        check_windows(history)
        check_steps(steps)
        forecasts: np.ndarray = self.method.predict_ahead(history, steps)
        return forecasts

    def parameters(self) -> int:
        """The numbers in its arrays."""
        return sum(array.size for array in self.weights())

    def weights(self) -> list[np.ndarray]:
        """Its array attributes, by name."""
        return [value for _, value in sorted(vars(self.method).items()) if isinstance(value, np.ndarray)]

    def save(self, folder: Path) -> None:
        super().save(folder)
        arrays = {name: value for name, value in vars(self.method).items() if isinstance(value, np.ndarray)}
        np.savez(folder / ARRAYS, allow_pickle=False, **arrays)

    def state(self) -> dict[str, Setting]:
        """Its attributes that are plain values; raises ValueError for what is neither that nor an array."""
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
    """A NumPy scalar as Python's own; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value
