"""What the harness has to know of a method from outside, found out in a child process with a time limit.

    python -m bench.execution.inspection ANSWER QUESTION

imports the method, makes one, and writes the answer to a file: whatever the import does or prints happens there.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from bench.execution.orders import one_line
from bench.machine import threads
from bench.records.codec import PLAIN

PATIENCE = 60.0  # seconds until an import that does not end is ended
LARGEST = 2**20  # bytes of an answer

Setting = int | float | str | bool | None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which method, and whether it takes these settings."""

    reference: str
    backend: str | None = None
    seed: int = 42
    settings: dict[str, Setting] = {}


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a method is called here, where it comes from, and what it takes."""

    name: str
    reference: str  # mine.py:MyForecaster, or what a package's entry point names
    version: str  # the sha256 of the file, or the package's version
    backends: list[str]
    settings: list[tuple[str, list[str], Setting]]  # name, types, default
    off: dict[str, Setting]  # settings that a record leaves out while they have these values
    takes_levels: bool
    takes_validation: bool
    network: bool
    doc: str
    place: str = ""  # how this machine names it


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The description, or what is wrong."""

    description: Description | None = None
    problem: str = ""


def inspect(
    reference: str, backend: str | None = None, seed: int = 42, settings: dict[str, Setting] | None = None
) -> Description:
    """Describe a method, and with a backend see whether it takes the settings. Raises ValueError, in one line."""
    place = absolute(reference)
    question = Question(reference=place, backend=backend, seed=seed, settings=settings or {})
    with tempfile.TemporaryDirectory(prefix="aheadbench-") as folder:
        answer = ask(question, reference, Path(folder))
    if answer.description is None:
        raise ValueError(answer.problem or f"{reference!r} cannot be imported")
    name = answer.description.name
    if not PLAIN.fullmatch(name):
        raise ValueError(f"{reference!r}: {name[:64]!r} cannot be a name: at most 64 letters, digits, '_' and '-' can")
    return msgspec.structs.replace(answer.description, place=place)


def absolute(reference: str) -> str:
    """The reference for a process that runs in another folder."""
    path, colon, class_name = reference.rpartition(":")
    if not reference.endswith(".py") and not path.endswith(".py"):
        return reference
    return (
        f"{Path(path).absolute()}:{class_name}" if colon and path.endswith(".py") else str(Path(reference).absolute())
    )


def ask(question: Question, said: str, folder: Path) -> Answer:
    """Ask a child process that runs in the folder; whatever it started is ended with it."""
    work, place = folder / "work", folder / "answer.json"
    work.mkdir()
    variables = {**threads.environment_variables(), "TMPDIR": str(work)}
    command = [sys.executable, "-m", __name__, str(place), msgspec.json.encode(question).decode()]
    process = subprocess.Popen(
        command, cwd=work, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        return Answer(problem=f"{said!r} cannot be imported: its import did not end within {PATIENCE:g} s")
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    try:
        with place.open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=Answer)
    except (OSError, msgspec.MsgspecError):
        how = f"status {process.returncode}" if process.returncode >= 0 else signal.Signals(-process.returncode).name
        return Answer(problem=f"{said!r} cannot be imported: it ended the process ({how})")


def main() -> None:
    """Answer the question, and leave at once: what runs at the interpreter's end cannot keep it."""
    place, question = Path(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Question)
    try:
        answer = Answer(description=describe(question))
    except ValueError as error:
        answer = Answer(problem=" ".join(str(error).split()))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        words = one_line(f"{type(error).__name__}: {error}")
        answer = Answer(problem=f"{Path(question.reference).name!r} cannot be imported: {words}")
    place.write_bytes(msgspec.json.encode(answer))
    os._exit(0)


def describe(question: Question) -> Description:
    """Import the method and read its class. Raises ValueError, and whatever its code raises."""
    import implementations
    from bench.execution import user_methods
    from implementations.network import NetworkForecaster

    found = user_methods.load(question.reference)
    maker = found.maker
    if question.backend:
        implementations.make(found.name, question.backend, question.seed, **question.settings)
    hints = get_type_hints(maker)
    return Description(
        name=found.name,
        reference=found.reference,
        version=found.version,
        backends=list(maker.backends),
        settings=[(name, kinds(hints.get(name), value), value) for name, value in maker.defaults().items()],
        off=dict(maker.off),
        takes_levels=bool(maker.takes_levels),
        takes_validation=takes_validation(maker),
        network=issubclass(maker, NetworkForecaster),
        doc=maker.__doc__ or "",
    )


def kinds(hint: Any, default: Setting) -> list[str]:
    """The types of a setting by name: those that are stated, else the default's."""
    parts = get_args(hint) or (hint,)
    names = ["None" if part is type(None) else getattr(part, "__name__", "") for part in parts]
    known = [name for name in names if name in ("int", "float", "str", "bool", "None")]
    return known or ["None" if default is None else type(default).__name__]


def takes_validation(maker: Any) -> bool:
    """Whether its fit watches a pair: a class of any kind says so by a parameter."""
    from inspect import signature

    from implementations.wrapping import Plain

    return not issubclass(maker, Plain) or "validation" in signature(maker.given.fit).parameters


if __name__ == "__main__":
    main()
