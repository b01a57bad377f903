"""TOML files whose errors name the line: the keys of a file are the fields of a typed struct."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from bench.errors import UsageError, unknown

Keys = tuple[str, ...]  # of nested tables: ("settings", "gru", "units")
Kind = TypeVar("Kind", bound=msgspec.Struct)


@dataclass(frozen=True)
class Text:
    """Hold a TOML file and the line of each key."""

    name: str
    lines: dict[Keys, int]
    content: dict[str, Any]

    def error(self, keys: Keys, message: str) -> UsageError:
        """Return the error for a key, with its line or that of the table it is in."""
        inside = [line for place, line in self.lines.items() if keys and place[: len(keys)] == keys]
        if not inside and keys:
            return self.error(keys[:-1], message)
        return UsageError(f"{self.name}{f', line {inside[0]}' if inside else ''}: {message}")

    def check_keys(self, table: Keys, content: Iterable[str], allowed: Iterable[str]) -> None:
        """Raise UsageError for the first key that is not allowed in a table."""
        allowed = list(allowed)
        for key in content:
            if key not in allowed:
                raise self.error((*table, key), str(unknown("key", key, allowed)))

    def convert(self, kind: type[Kind], table: Keys = (), content: Any = None) -> Kind:
        """Return the content, or that of a table, as a struct. Raises UsageError with the line of the first fault."""
        content = self.content if content is None else content
        self.check_keys(table, content, [field.encode_name for field in msgspec.structs.fields(kind)])
        try:
            return msgspec.convert(content, kind)
        except msgspec.ValidationError as error:
            message, _, place = str(error).replace("`", "").partition(" - at $")
            keys = (*table, *re.findall(r"\w+", place.partition("[")[0]))
            if missing := re.fullmatch(r"Object missing required field (\w+)", message):
                raise self.error(keys, f"the key {'.'.join((*keys, missing[1]))!r} is missing") from None
            if choices := choices_of(kind, keys[len(table) :]) if "enum" in message else "":
                message = f"{message.replace('Invalid enum value', 'got')}, choose from {choices}"
            raise self.error(keys, f"{'.'.join(keys)}: {message[0].lower()}{message[1:]}") from None


def choices_of(kind: type[msgspec.Struct], keys: Keys) -> str:
    """Return the words that a struct's field may be, and `a number` where one may be, too; empty for others."""

    def words(hint: Any) -> Iterator[str]:
        if get_origin(hint) is Literal:
            yield from map(str, get_args(hint))
        elif hint is int:
            yield "a number"
        else:
            for inner in get_args(hint):
                yield from words(inner)

    hint = get_type_hints(kind).get(keys[0]) if len(keys) == 1 else None
    return ", ".join(dict.fromkeys(words(hint)))


def parse(content: bytes, name: str) -> Text:
    """Return the file, parsed. Raises UsageError where it is no TOML."""
    try:
        text = content.decode("utf-8-sig")
        return Text(name, lines_of(text), tomllib.loads(text))
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: {' '.join(str(error).split())}") from None


def lines_of(text: str) -> dict[Keys, int]:
    """Return the line of every table and key that begins one; lines inside a longer text may be taken for keys."""
    table: Keys = ()
    lines: dict[Keys, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+(.+?)\]+\s*(#.*)?$", line):
            table = keys_in(header[1])
            lines.setdefault(table, number)
        elif key := re.match(r"\s*([^#=\[\]]+?)\s*=", line):
            lines.setdefault((*table, *keys_in(key[1])), number)
    return lines


def keys_in(text: str) -> Keys:
    """Return the keys of a dotted one, quotes taken off."""
    try:
        found: Any = tomllib.loads(f"{text} = 0")
    except tomllib.TOMLDecodeError:
        return (text,)
    keys = []
    while isinstance(found, dict):
        key, found = next(iter(found.items()))
        keys.append(key)
    return tuple(keys)
