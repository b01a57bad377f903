"""The frameworks, one training loop each, behind the same names: seed, build, Trainer, predictor, save, load.

Nothing here is imported before `load` asks for it: a process runs one framework alone, since two of them in one process
fight over threads and can crash, and since a command line that imports none answers at once.
"""

from __future__ import annotations

import importlib
import os
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from implementations.backends.protocol import Engine, Processor


class Backend(NamedTuple):
    """Where a backend's engine is, what it imports, and how a user installs that."""

    module: str  # in implementations.backends
    needs: tuple[str, ...]
    extra: str
    engine: str = ""  # Keras' own name of the framework that it runs on
    devices: tuple[str, ...] = ("cpu",)
    trains: bool = True  # whether it builds and trains networks


BACKENDS = {
    "numpy": Backend("numpy", (), "all", trains=False),
    "keras": Backend("keras.engine", ("keras", "tensorflow"), "keras", "tensorflow"),
    "keras-jax": Backend("keras.engine", ("keras", "jax"), "jax", "jax", ("cpu", "cuda")),
    "torch": Backend("torch.engine", ("torch",), "torch", devices=("cpu", "cuda")),
}
#: those that networks run on
TRAINING_BACKENDS = tuple(name for name, backend in BACKENDS.items() if backend.trains)

if TYPE_CHECKING:  # what mypy holds every engine to
    from implementations.backends import numpy as numpy_engine
    from implementations.backends.keras import engine as keras_engine
    from implementations.backends.torch import engine as torch_engine

    ENGINES: tuple[Processor, Engine[Any], Engine[Any]] = (numpy_engine, keras_engine, torch_engine)


def installed(backend: str) -> bool:
    """Say whether the packages that the backend needs are installed: looked for, not imported."""
    return all(find_spec(package) is not None for package in BACKENDS[backend].needs)


def extra(backend: str) -> str:
    """Name the extra that installs the backend: pip install 'aheadbench[extra]'."""
    return BACKENDS[backend].extra


def load(backend: str, threads: int = 1, device: str | None = None) -> Engine[Any]:
    """Import the backend's framework, keep it to so many threads on a device, and return its module here.

    device: cpu, at first, or cuda; None: as it is. Raises ValueError for a device that the backend does not run on or
    the machine does not have, and RuntimeError when Keras already runs on another engine in this process: it cannot
    change.
    """
    chosen = BACKENDS[backend]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # else a dozen lines on the machine stand before any answer
    if device is not None and device not in chosen.devices:
        raise ValueError(f"device: got {device} for backend {backend}, allowed: {', '.join(chosen.devices)}")
    if chosen.engine:
        os.environ.setdefault("KERAS_BACKEND", chosen.engine)
        if os.environ["KERAS_BACKEND"] != chosen.engine:
            raise RuntimeError(
                f"backend {backend}: got KERAS_BACKEND={os.environ['KERAS_BACKEND']}, needed {chosen.engine}; "
                "one process runs one engine"
            )
    module = importlib.import_module(f"implementations.backends.{chosen.module}")
    module.limit_threads(threads)
    if device is not None:
        module.use(device)
    return cast("Engine[Any]", module)
