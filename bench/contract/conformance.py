"""Does a method keep the contract of `implementations.forecaster`?

    python -m bench.contract.conformance BACKEND [METHOD ...]

prints a line of JSON per method, {"method", "backend", "broken": {promise: what was got and expected}}, and ends with
status 1 when anything is broken. `check` does the same for any class that makes a Forecaster.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import msgspec

from bench.contract.promises import PROMISES
from bench.contract.subject import Asker, Broken, Loader, Maker, Subject
from bench.errors import UsageError, unknown
from bench.execution import asking
from bench.execution.inspection import absolute
from implementations import METHODS, backends, backends_of, default_settings, load, make, needs_folder
from implementations.forecaster import Forecaster

PATIENCE = 900.0  # seconds until a check is ended
EPOCHS = 2  # enough to train, and to see whether the curve has them all
MEMBERS = 2  # of an ensemble
SEED = 1  # of forecasters that are asked for anything but forecasts


def check(
    make: Maker,
    load: Loader | None = None,
    asks: Asker | None = None,
    uncompiled: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> dict[str, str]:
    """Return what is broken: promise -> what was got and expected. Empty for a method that keeps the contract.

    make: seed -> a fresh forecaster of two channels and, if it trains by epochs, of a few of them; load: reads what its
    `save` wrote; unless given, a forecaster that `make` makes takes it back by `restore`. asks: kind -> a forecaster of
    one channel for such questions; unless given, none but forecasts are asked for. uncompiled: within it a framework
    compiles nothing, so that a fit whose bits do not matter takes less time.
    """
    subject = Subject(make, load or partial(_restored, make), asks, uncompiled)
    if failure := _failure(lambda _: subject.fitted, subject):
        return {"fits": failure}
    failures = {promise: _failure(keeps, subject) for promise, keeps in PROMISES.items()}
    return {promise: failure for promise, failure in failures.items() if failure}


def check_methods(backend: str, names: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each method of METHODS with what is broken in it on the backend."""
    backends.load(backend)
    uncompiled = eagerly if backend == "keras" else nullcontext
    for name in names:
        defaults = default_settings(name)
        shorter = {"epochs": EPOCHS} if "epochs" in defaults else {}
        shorter |= {"members": MEMBERS} if "members" in defaults else {}
        yield name, check(partial(make, name, backend, **shorter), load, uncompiled=uncompiled)


@contextmanager
def eagerly() -> Iterator[None]:
    """Let TensorFlow compile nothing within the block: of a check's time, most is compilation."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which method to check on which backend."""

    reference: str  # what names a method from outside, else its name
    name: str
    backend: str


def check_apart(reference: str, name: str, backend: str) -> dict[str, str]:
    """Return what is broken in a method, found out in a child process: a method may do there what it likes."""
    question = Question(reference=absolute(reference), name=name, backend=backend)
    try:
        answer = asking.ask("bench.contract.apart", msgspec.json.encode(question), PATIENCE)
        return msgspec.json.decode(answer, type=dict[str, str])
    except asking.NoAnswer as error:
        return {"fits": str(error)}
    except msgspec.MsgspecError:
        return {"fits": "it left another answer than the check's"}


def chosen(backend: str, names: list[str]) -> list[str]:
    """Return the methods to be checked: those named, or all of the backend.

    Raises UsageError for what does not exist.
    """
    if backend not in backends.BACKENDS:
        raise unknown("backend", backend, backends.BACKENDS)
    available = [name for name in METHODS if backend in backends_of(name) and not needs_folder(name)]
    for name in names:
        if name not in available:
            raise unknown(f"method of {backend}", name, available)
    return names or available


def main(arguments: list[str]) -> int:
    """Check the methods and print a line of JSON for each; the exit status is 1 when anything is broken."""
    if not arguments:
        usage = f"usage: python -m bench.contract.conformance {'|'.join(backends.BACKENDS)} [METHOD ...]"
        sys.stderr.write(f"{usage}\n")
        return 2
    backend, *names = arguments
    try:
        names = chosen(backend, names)
    except UsageError as error:
        sys.stderr.write(f"bench: {error}\n")
        return 2
    failed = False
    with tempfile.TemporaryDirectory() as programs:
        compile_quickly(programs)
        for name, broken in check_methods(backend, names):
            failed = failed or bool(broken)
            sys.stdout.write(json.dumps({"method": name, "backend": backend, "broken": broken}) + "\n")
            sys.stdout.flush()
    return int(failed)


def compile_quickly(programs: str) -> None:
    """Have XLA spend little on programs that run for milliseconds, and JAX and TensorFlow keep them in a folder.

    Only before the frameworks are imported: they read this then.
    """
    os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0".strip()
    os.environ |= {"JAX_COMPILATION_CACHE_DIR": programs, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    os.environ["TF_XLA_FLAGS"] = f"--tf_xla_persistent_cache_directory={programs}"


def _failure(keeps: Callable[[Subject], object], subject: Subject) -> str | None:
    """Return why the promise is not kept; None when it is. A method may raise anything."""
    try:
        keeps(subject)
    except Broken as broken:
        return str(broken)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def _restored(make: Maker, folder: Path) -> Forecaster:
    saved = json.loads((folder / "forecaster.json").read_text(encoding="utf-8"))
    forecaster = make(saved["seed"])
    forecaster.restore(saved["state"], folder)
    return forecaster


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
