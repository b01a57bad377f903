"""Methods from outside this repository: a class in a file, `./mine.py:MyForecaster`, or an entry point of a package.

The class is a Forecaster, or any class with `fit` and `predict_ahead`, which `wrapping` makes one. Its name here has a
dot (mine.MyForecaster, package.name), so it is never taken for a method of ours. Importing this loads no NumPy.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import re
import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from implementations.forecaster import Forecaster

GROUP = "aheadbench.methods"  # of entry points


@dataclass(frozen=True)
class Found:
    """A method from outside: what it is called here, its class, and exactly which file or version it is."""

    name: str
    maker: type[Forecaster]
    reference: str  # mine.py:MyForecaster, or package:name
    version: str  # of the package, or the sha256 of the file


def is_reference(text: str) -> bool:
    """Say whether a text names a class in a file, rather than a method by its name."""
    return bool(re.search(r"\.py(:|$)", text))


def from_file(reference: str) -> Found:
    """Import the class in `path/to/mine.py:MyForecaster`. Raises ValueError that says what is wrong with it."""
    path_text, _, class_name = reference.rpartition(":") if not reference.endswith(".py") else (reference, "", "")
    path = Path(path_text)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path_text!r} cannot be read: {error.strerror}") from None
    if not re.fullmatch(r"\w[\w-]*", path.stem, re.ASCII):
        raise ValueError(f"{path.name!r}: needed a file name of letters, digits, '_' and '-'")
    module = run(path)
    candidates = [name for name, value in vars(module).items() if is_method(value, module)]
    if class_name not in candidates:
        missing = [one for one in ("fit", "predict_ahead") if not hasattr(getattr(module, class_name, None), one)]
        named = f"{class_name!r} has no {' and no '.join(missing)}" if hasattr(module, class_name) else "name a class"
        raise ValueError(f"{reference!r}: {named}; classes with fit and predict_ahead: {', '.join(candidates) or '-'}")
    from implementations.wrapping import as_forecaster

    name, version = f"{path.stem}.{class_name}", hashlib.sha256(content).hexdigest()
    return Found(name, as_forecaster(getattr(module, class_name)), f"{path.name}:{class_name}", version)


def run(path: Path) -> ModuleType:
    """Run the module in a file, with its folder on the import path. Raises ValueError when it does not run."""
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
    """Say whether a value is a class, written in the module, that can fit and forecast."""
    own = inspect.isclass(value) and value.__module__ == module.__name__
    return own and all(callable(getattr(value, name, None)) for name in ("fit", "predict_ahead"))


def packaged() -> dict[str, EntryPoint]:
    """List the methods that installed packages offer, by name: looked up, not imported."""
    return {f"{point.dist.name}.{point.name}": point for point in entry_points(group=GROUP) if point.dist}


def from_package(name: str) -> Found:
    """Import the method of a package. Raises ValueError when it cannot be imported or is not a method."""
    from implementations.wrapping import as_forecaster

    point = packaged()[name]
    try:
        loaded = point.load()
    except Exception as error:
        raise ValueError(f"{name} cannot be imported: {type(error).__name__}: {error}") from None
    if not (inspect.isclass(loaded) and hasattr(loaded, "fit") and hasattr(loaded, "predict_ahead")):
        raise ValueError(f"{name}: {point.value} is not a class with fit and predict_ahead")
    return Found(name, as_forecaster(loaded), f"{point.value}", point.dist.version if point.dist else "")
