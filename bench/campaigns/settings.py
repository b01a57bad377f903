"""The settings of a run: a method's defaults on a task, and what the user changes, typed as the method states."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

import implementations
from bench.campaigns import bounds
from bench.campaigns.request import Setting
from bench.errors import UsageError, unknown
from bench.tasks import Task
from implementations.kinds import FORECAST

QUICK_EPOCHS = 2


def parse_settings(texts: Sequence[str]) -> dict[str, dict[str, Setting]]:
    """Return method -> setting -> value, from 'gru.units=32' and the like. Raises UsageError."""
    changes: dict[str, dict[str, Setting]] = {}
    for text in texts:
        target, equals, value = text.partition("=")
        method, dot, name = target.rpartition(".")
        if not (equals and dot and method and name):
            raise UsageError(f"--set {text!r}: needed METHOD.NAME=VALUE, as in gru.units=32")
        method = implementations.current_name(method)
        kind, earlier = kind_of(method, name), changes.setdefault(method, {})
        if name in earlier:
            raise UsageError(f"--set {method}.{name}: got {earlier[name]} and {value}, needed one value in a run")
        try:
            earlier[name] = read_value(method, name, kind, value)
        except UsageError as error:
            raise UsageError(f"--set {error}") from None
    return changes


def typed(method: str, name: str, value: Setting) -> Setting:
    """Return a value from a file or from Python as the type that the method states. Raises UsageError."""
    return read_value(method, name, kind_of(method, name), value)


def kind_of(method: str, name: str) -> Any:
    """Return the type of a method's setting. Raises UsageError for a method or a setting that does not exist."""
    if method not in implementations.METHODS:
        raise unknown("method", method, implementations.METHODS)
    known = implementations.all_settings(method)
    if name not in known:
        raise unknown(f"setting of {method}", name, known)
    return implementations.setting_type(method, name)


def read_value(method: str, name: str, kind: Any, value: Setting) -> Setting:
    """Return the value as this type; 'none' is None where the type allows it. Raises UsageError."""
    absent = isinstance(value, str) and value.lower() == "none" and type(None) in get_args(kind)
    with contextlib.suppress(msgspec.ValidationError):
        setting: Setting = msgspec.convert(None if absent else value, kind, strict=not isinstance(value, str))
        if not isinstance(setting, float) or math.isfinite(setting):
            return setting
    default = implementations.all_settings(method)[name]
    raise UsageError(f"{method}.{name}={value}: {str(value)!r} is not {describe(kind)} (default: {default})")


def describe(kind: Any) -> str:
    """Return a setting's type in words."""
    words = {int: "a whole number", float: "a number", bool: "true or false", type(None): "none"}
    return " or ".join(words.get(part, str(part)) for part in get_args(kind) or (kind,))


def defaults_of(method: str, task: Task, quick: bool = False) -> dict[str, Setting]:
    """Return a method's settings on a task: few epochs in a quick run; on series from a file, as the method adapts."""
    defaults = implementations.default_settings(method)
    if task.series or task.kind != FORECAST:
        season = task.series.season if task.series else None
        defaults = implementations.class_of(method).adapted(defaults, season)
    return {**defaults, "epochs": QUICK_EPOCHS} if "epochs" in defaults and quick else defaults


def resolve(defaults: Mapping[str, Setting], epochs: int | None, changes: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the defaults with what was asked for; `epochs` counts for methods that have any."""
    trains = "epochs" in defaults and epochs is not None
    return {**defaults, **({"epochs": epochs} if trains else {}), **changes}


def identified(method: str, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings with the digest of a model that they name. Raises UsageError for what is no such model."""
    try:
        return implementations.identified(method, settings)
    except ValueError as error:
        raise UsageError(str(error)) from None


def without_off(method: str, defaults: Mapping[str, Setting], settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings without those that are off unless asked for, and off here."""
    known = implementations.all_settings(method)
    return {name: value for name, value in settings.items() if name in defaults or value != known[name]}


def check_settings(method: str, backend: str, seed: int, settings: Mapping[str, Setting], kind: str = FORECAST) -> None:
    """Raise UsageError for values that the method refuses or the machine has no memory for, before anything runs."""
    bounds.check_settings(method, settings)
    try:
        implementations.make(method, backend, seed, kind=kind, **settings)
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from None
