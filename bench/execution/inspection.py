"""What the harness has to know of a method from outside, found out in a child process with a time limit.

    python -m bench.execution.inspection ANSWER QUESTION

imports the method, makes one, and writes the answer to a file: whatever the import does or prints happens there.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec

from bench.execution import asking
from bench.execution.orders import one_line
from bench.records.codec import PLAIN
from bench.text import clean

PATIENCE = 60.0  # seconds until an import that does not end is ended

Setting = int | float | str | bool | None


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """Which method, and whether it takes these settings."""

    reference: str
    backend: str | None = None
    seed: int = 42
    settings: dict[str, Setting] = {}
    said: str = ""  # how the user names it


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
    network: bool  # that this repository trains
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
    question = Question(reference=place, backend=backend, seed=seed, settings=settings or {}, said=reference)
    try:
        answer = msgspec.json.decode(asking.ask(__name__, msgspec.json.encode(question), PATIENCE), type=Answer)
    except asking.NoAnswer as error:
        raise ValueError(f"{reference!r} cannot be imported: {error}") from None
    except msgspec.MsgspecError:
        raise ValueError(f"{reference!r} cannot be imported: it left another answer") from None
    if answer.description is None:
        problem = answer.problem or f"{reference!r} cannot be imported: it left another answer"
        raise ValueError(problem.replace(place.rpartition(":")[0] or place, reference.rpartition(":")[0] or reference))
    name = answer.description.name
    if not PLAIN.fullmatch(name):
        raise ValueError(f"{reference!r}: {name[:64]!r} cannot be a name: at most 64 letters, digits, '_' and '-' can")
    return msgspec.structs.replace(answer.description, place=place)


def absolute(reference: str) -> str:
    """Return the reference for a process that runs in another folder."""
    path, colon, class_name = reference.rpartition(":")
    if not reference.endswith(".py") and not path.endswith(".py"):
        return reference
    return (
        f"{Path(path).absolute()}:{class_name}" if colon and path.endswith(".py") else str(Path(reference).absolute())
    )


def main() -> None:
    """Answer the question."""
    place, question = sys.argv[1], msgspec.json.decode(sys.argv[2], type=Question)
    try:
        answer = Answer(description=describe(question))
    except ValueError as error:
        answer = Answer(problem=clean(str(error), longest=400))
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        words = one_line(f"{type(error).__name__}: {error}")
        answer = Answer(problem=f"{Path(question.reference).name!r} cannot be imported: {words}")
    asking.answer(place, msgspec.json.encode(answer))


def describe(question: Question) -> Description:
    """Import the method and read its class. Raises ValueError, and whatever its code raises."""
    import implementations
    from bench.execution import user_code
    from implementations.network import NetworkForecaster

    found = user_code.load(question.reference)
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
        network=issubclass(maker, NetworkForecaster) and maker.fit is NetworkForecaster.fit,
        doc=maker.__doc__ or "",
    )


def kinds(hint: Any, default: Setting) -> list[str]:
    """Return the types of a setting by name: those that are stated, else the default's."""
    parts = get_args(hint) or (hint,)
    names = ["None" if part is type(None) else getattr(part, "__name__", "") for part in parts]
    known = [name for name in names if name in ("int", "float", "str", "bool", "None")]
    return known or ["None" if default is None else type(default).__name__]


def takes_validation(maker: Any) -> bool:
    """Return whether its fit watches a pair: a class of any kind says so by a parameter."""
    from inspect import signature

    from implementations.wrapping import Plain

    return not issubclass(maker, Plain) or "validation" in signature(maker.given.fit).parameters


if __name__ == "__main__":
    main()
