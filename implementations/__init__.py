"""Every method behind one interface.

from implementations import make
forecaster = make("gru", backend="torch", seed=42, units=32).fit(history, future)
forecaster.predict_ahead(history, steps=10)

Importing this loads no framework, no NumPy and no method: a command line that needs none answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from implementations.backends import BACKENDS, installed
from implementations.registry import (
    METHODS,
    all_settings,
    backends_of,
    class_of,
    complete,
    current_name,
    default_settings,
    identified,
    kinds_of,
    load,
    make,
    needs_folder,
    setting_type,
)

if TYPE_CHECKING:
    from implementations.forecaster import Forecaster
    from implementations.network import NetworkForecaster
    from implementations.strategies import MultiOutput, Recursive, SequenceToSequence

__all__ = [
    "BACKENDS", "METHODS", "Forecaster", "MultiOutput", "NetworkForecaster", "Recursive", "SequenceToSequence",
    "all_settings", "backends_of", "class_of", "complete", "current_name", "default_settings", "identified",
    "installed", "kinds_of", "load", "make", "needs_folder", "setting_type",
]  # fmt: skip

#: where the names are that need NumPy
LAZY = {
    "Forecaster": "forecaster", "NetworkForecaster": "network",
    "Recursive": "strategies", "MultiOutput": "strategies", "SequenceToSequence": "strategies",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{LAZY[name]}"), name)
