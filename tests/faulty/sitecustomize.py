"""Methods that go wrong, each in its own way. Python imports this at start where the folder is on PYTHONPATH.

Their processes note their ids in the file that FAULTY_PIDS names, one line each: tests look whether they are gone.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

import implementations
from implementations.forecaster import Forecaster

SLEEP = "import time; time.sleep(300)"


def note(*pids: int) -> None:
    """Write process ids where the test looks."""
    with Path(os.environ["FAULTY_PIDS"]).open("a") as file:
        file.write("".join(f"{pid}\n" for pid in pids))


def start_child(code: str, **options: Any) -> subprocess.Popen[bytes]:
    """A child process of the method's own."""
    return subprocess.Popen([sys.executable, "-S", "-c", code], **options)


@dataclass(kw_only=True)  # as subclasses had to be before 0.3: it changes nothing
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


class Killed(Faulty):
    """Is killed as kill -9 does it."""

    def fit(self, *data: Any, **more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)


class Exits(Faulty):
    """Ends the process as if all were well."""

    def fit(self, *data: Any, **more: Any) -> Any:
        os._exit(0)


class Forges(Faulty):
    """Leaves a file of its own where its result should be, and ends the process as if all were well."""

    def fit(self, *data: Any, **more: Any) -> Any:
        os.write(int(sys.argv[2]), b'{"schema": 2}' + (13).to_bytes(8, "little"))
        os._exit(0)


class Raises(Faulty):
    """Fails with a path and a second line in its message."""

    def fit(self, *data: Any, **more: Any) -> Any:
        raise RuntimeError("cannot open /some/secret/place/weights.bin\nmore lines")


class Paints(Faulty):
    """Fails with colours, a table's bars and HTML in its message."""

    def fit(self, *data: Any, **more: Any) -> Any:
        raise RuntimeError("\x1b[31mred\x1b]0;title\x07 | cell | <script>alert(1)</script> \u202e=cmd")


class BreaksOnImport(Faulty):
    """Needs what is not installed."""

    def __init__(self, **settings: Any) -> None:
        import no_such_framework  # noqa: F401


class OutOfMemory(Faulty):
    """Asks for a pebibyte."""

    def fit(self, *data: Any, **more: Any) -> Any:
        np.ones((2**50,))


class Hoards(Faulty):
    """Takes memory, 32 MiB at a time, and stops at 2 GiB, should nobody stop it before."""

    def fit(self, *data: Any, **more: Any) -> Any:
        kept = []
        for _ in range(64):
            kept.append(np.ones(2**22))
            time.sleep(0.03)
        return self


class HoardsInChild(Faulty):
    """The same in a child."""

    def fit(self, *data: Any, **more: Any) -> Any:
        code = "import time\nkept = []\nfor _ in range(64):\n kept.append(bytearray(2**25))\n time.sleep(0.03)"
        start_child(code).wait()
        return self


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


class InfiniteForecast(Faulty):
    """Forecasts infinity for one series."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        forecasts = super().predict_ahead(history, steps)
        forecasts[-1] = np.inf
        return forecasts


class HugeForecast(Faulty):
    """Forecasts 1e30 once."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        forecasts = super().predict_ahead(history, steps)
        forecasts[5, 2] = 1e30
        return forecasts


class ConstantForecast(Faulty):
    """Forecasts the same, whatever the history."""

    def predict_ahead(self, history: np.ndarray, steps: int) -> np.ndarray:
        return np.full_like(super().predict_ahead(history, steps), 0.25)


class NaNCurve(Faulty):
    """Notes a measure of its own that is no number."""

    def fit(self, *data: Any, **more: Any) -> Any:
        self.curve = {"gradient_norm": [1.0, float("nan")]}
        return self


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


class Floods(Faulty):
    """Prints 1 GB of bytes that are no text."""

    def fit(self, *data: Any, **more: Any) -> Any:
        for _ in range(1000):
            os.write(1, b"\xff" * 1_000_000)
        return self


class Idles(Faulty):
    """Sleeps where it should work."""

    def fit(self, *data: Any, **more: Any) -> Any:
        time.sleep(0.3)
        return self


class Works(Faulty):
    """Takes its time to fit, and says when it begins."""

    def fit(self, *data: Any, **more: Any) -> Any:
        note(os.getpid())
        end = time.process_time() + 0.6
        while time.process_time() < end:
            pass
        return self


class Litters(Faulty):
    """Leaves a child that has left its process group and would outlive it, and a temporary file."""

    def fit(self, *data: Any, **more: Any) -> Any:
        import tempfile

        tempfile.mkstemp(prefix="litter-")
        note(start_child(SLEEP, start_new_session=True).pid)
        return self


class Escapes(Faulty):
    """Leaves a daemon: of its own session, with its mark wiped away, its parent gone."""

    def fit(self, *data: Any, **more: Any) -> Any:
        daemon = "import os, time\nos.setsid()\nif os.fork(): os._exit(0)\nprint(os.getpid(), flush=True)\n" + SLEEP
        command = [sys.executable, "-S", "-c", daemon, os.environ["TMPDIR"]]  # its folder tells whose it is
        with subprocess.Popen(command, env={}, stdout=subprocess.PIPE, start_new_session=False) as child:
            assert child.stdout
            note(int(child.stdout.readline()))
            child.stdout.close()
        return self


class Hangs(Faulty):
    """Hangs, and a child of its own with it, whatever SIGTERM says."""

    def fit(self, *data: Any, **more: Any) -> Any:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        note(os.getpid(), start_child(SLEEP).pid)
        time.sleep(300)


class HangsSilently(Faulty):
    """Hangs, and nothing more."""

    def fit(self, *data: Any, **more: Any) -> Any:
        note(os.getpid())
        time.sleep(300)


class HangsPrinting(Faulty):
    """Prints without end."""

    def fit(self, *data: Any, **more: Any) -> Any:
        note(os.getpid())
        while True:
            print("still here", flush=True)
            time.sleep(0.001)


class HangsInC(Faulty):
    """Hangs where no other thread of Python's gets a turn."""

    def fit(self, *data: Any, **more: Any) -> Any:
        note(os.getpid())
        re.match("(a+)+$", "a" * 60 + "b")


class HangsInGrandchild(Faulty):
    """Waits for a grandchild that has left its process group and ignores SIGTERM."""

    def fit(self, *data: Any, **more: Any) -> Any:
        ignore = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
        code = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-S', '-c', {ignore + '; ' + SLEEP!r}])"
        child = start_child(f"{code}; print(p.pid, flush=True); p.wait()", start_new_session=True, stdout=-1)
        assert child.stdout
        note(os.getpid(), child.pid, int(child.stdout.readline()))
        child.wait()


class Flaky(Faulty):
    """One run in ten goes wrong, by its seed: `flaky_end` says how."""

    def fit(self, *data: Any, **more: Any) -> Any:
        end = flaky_end(self.seed)
        return ENDS[end](seed=self.seed).fit(*data, **more) and self if end else self


class SecondTime(Faulty):
    """Goes wrong in the second run of an interpreter, as what an earlier run left behind may have it do."""

    earlier: ClassVar[list[int]] = []

    def fit(self, *data: Any, **more: Any) -> Any:
        self.earlier.append(self.seed)
        if len(self.earlier) > 1:
            self.go_wrong()
        return self

    def go_wrong(self) -> None:
        raise RuntimeError("the second run of this interpreter")


class SecondKills(SecondTime):
    """Is killed the second time."""

    def go_wrong(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class SecondHangs(SecondTime):
    """Hangs the second time."""

    def go_wrong(self) -> None:
        time.sleep(300)


ENDS = {
    "segfaults": Segfaults,
    "killed": Killed,
    "exits": Exits,
    "forges": Forges,
    "raises": Raises,
    "hoards": Hoards,
    "overflows": Overflows,
    "floods": Floods,
    "litters": Litters,
    "escapes": Escapes,
    "hangs": Hangs,
    "hangs_in_grandchild": HangsInGrandchild,
}


def flaky_end(seed: int) -> str | None:
    """What goes wrong in the flaky method's run of this seed; None for nine in ten."""
    chance = random.Random(seed)
    return chance.choice(list(ENDS)) if chance.random() < 0.1 else None


implementations.METHODS.update(
    **ENDS,
    paints=Paints,
    breaks_on_import=BreaksOnImport,
    out_of_memory=OutOfMemory,
    hoards_in_child=HoardsInChild,
    nan_loss=NaNLoss,
    nan_forecast=NaNForecast,
    infinite_forecast=InfiniteForecast,
    huge_forecast=HugeForecast,
    constant_forecast=ConstantForecast,
    nan_curve=NaNCurve,
    wrong_shape=WrongShape,
    wrong_type=WrongType,
    masked=Masked,
    mutates=Mutates,
    writes_input=WritesInput,
    idles=Idles,
    works=Works,
    hangs_silently=HangsSilently,
    hangs_printing=HangsPrinting,
    hangs_in_c=HangsInC,
    flaky=Flaky,
    second_fails=SecondTime,
    second_kills=SecondKills,
    second_hangs=SecondHangs,
)
