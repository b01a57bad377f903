"""Methods that go wrong, each in its own way. Python imports this at start where the folder is on PYTHONPATH."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import implementations
from implementations.forecaster import Forecaster


@dataclass(kw_only=True)
class Faulty(Forecaster):
    """Repeats the last value, until a subclass does worse."""

    size: int = 1
    rate: float | None = None

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Any:
        return self

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return np.repeat(history[:, -1:], steps, axis=1)


class Segfaults(Faulty):
    """Dies of a signal."""

    def fit(self, *data: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGSEGV)


class Exits(Faulty):
    """Ends the process as if all were well."""

    def fit(self, *data: Any, **more: Any) -> Any:
        os._exit(0)


class Raises(Faulty):
    """Fails with a path and a second line in its message."""

    def fit(self, *data: Any, **more: Any) -> Any:
        raise RuntimeError("cannot open /home/somebody/secret/weights.bin\nmore lines")


class OutOfMemory(Faulty):
    """Asks for a pebibyte."""

    def fit(self, *data: Any, **more: Any) -> Any:
        np.ones((2**50,))


class NaNLoss(Faulty):
    """Trains to a loss that is no number."""

    def fit(self, *data: Any, **more: Any) -> Any:
        self.curve = {"loss": [0.5, float("nan")]}
        return self


class Overflows(Faulty):
    """Notices itself that it diverges."""

    def fit(self, *data: Any, **more: Any) -> Any:
        raise FloatingPointError("loss became inf in epoch 3 of 20")


class NaNForecast(Faulty):
    """Forecasts one value that is no number."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        forecasts = super().predict_ahead(history, steps)
        forecasts[0, 0, 0] = np.nan
        return forecasts


class WrongShape(Faulty):
    """Drops the channels."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps)[..., 0]


class WrongType(Faulty):
    """Forecasts in float64."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return super().predict_ahead(history, steps).astype(np.float64)


class Masked(Faulty):
    """Forecasts a masked array."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return np.ma.masked_array(super().predict_ahead(history, steps))


class Mutates(Faulty):
    """Makes its input writeable and changes it."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        history.setflags(write=True)
        history[0] = 0
        return super().predict_ahead(history, steps)


class WritesInput(Faulty):
    """Changes its input in passing."""

    def fit(self, history: np.ndarray, future: np.ndarray, validation: Any = None) -> Any:
        history -= history.mean()
        return self


class Noisy(Faulty):
    """Prints 20 MB of bytes that are no text."""

    def fit(self, *data: Any, **more: Any) -> Any:
        for _ in range(200):
            os.write(1, b"\xff" * 100_000)
        return self


class Idles(Faulty):
    """Sleeps where it should work."""

    def fit(self, *data: Any, **more: Any) -> Any:
        time.sleep(0.3)
        return self


class Hangs(Faulty):
    """Hangs, and a child of its own with it, whatever SIGTERM says; notes both process ids where the test looks."""

    def fit(self, *data: Any, **more: Any) -> Any:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(300)"])
        note = Path(os.environ["FAULTY_PIDS"])
        note.with_suffix(".new").write_text(f"{os.getpid()} {child.pid}")
        note.with_suffix(".new").replace(note)
        time.sleep(300)


implementations.METHODS.update(
    segfaults=Segfaults,
    exits=Exits,
    raises=Raises,
    out_of_memory=OutOfMemory,
    nan_loss=NaNLoss,
    overflows=Overflows,
    nan_forecast=NaNForecast,
    wrong_shape=WrongShape,
    wrong_type=WrongType,
    masked=Masked,
    mutates=Mutates,
    writes_input=WritesInput,
    noisy=Noisy,
    idles=Idles,
    hangs=Hangs,
)
