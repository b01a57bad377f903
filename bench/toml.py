"""TOML files whose errors name the line: the keys of a file are the fields of a typed struct."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from bench.errors import UsageError, unknown

LONGEST = 70  # characters of a value in an error
#: what people call msgspec's types
TYPES = {"int": "a whole number", "float": "a number", "str": "a text", "bool": "true or false", "array": "a list",
         "object": "a table"}  # fmt: skip
#: what tomllib finds -> what usually is the reason
HINTS = {
    "Invalid value": "a text needs quotes; a number, true and false have none",
    "Cannot overwrite a value": "a key is there twice",
}
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
            found, message = explained(error, content)
            keys = (*table, *found)
            if missing := re.fullmatch(r"Object missing required field (\w+)", message):
                raise self.error(keys, f"the key {'.'.join((*keys, missing[1]))!r} is missing") from None
            words = "enum" in message or message.endswith(TYPES["str"])
            if choices := choices_of(kind, keys[len(table) :]) if words else "":
                got = message.replace("invalid enum value", "got").partition(", expected ")[0]
                message = f"{got}, choose from {choices}"
            raise self.error(keys, f"{'.'.join(keys)}: {message}") from None


def explained(error: msgspec.ValidationError, content: Any) -> tuple[Keys, str]:
    """Return the keys of the value that is invalid in a content, and what was got and expected, in words."""
    message, _, place = str(error).replace("`", "").partition(" - at $")
    value = content
    for key, index in re.findall(r"\.(\w+)|\[([^\]]*)\]", place):
        try:
            value = value[key] if key else value[int(index)]
        except (KeyError, IndexError, TypeError, ValueError):  # of a table, msgspec does not say which key
            value = msgspec.UNSET
    return tuple(re.findall(r"\w+", place.partition("[")[0])), in_words(message, value)


def in_words(message: str, value: Any) -> str:
    """Return a message of msgspec about a value for people who write files; value: UNSET where it is not known."""
    found = re.fullmatch(r"Expected ([\w| ]+?)(?: ([<>])= (\S+)| of length (>= )?(\d+))?(?:, got (\w+))?", message)
    if not found:
        return message if message.startswith("Object") else f"{message[0].lower()}{message[1:]}"
    types, sign, bound, least, length, got = found.groups()
    expected = " or ".join(TYPES.get(one, one) for one in types.split(" | ") if one != "null")
    expected += f" of {bound} or {'more' if sign == '>' else 'less'}" if sign else ""
    expected += f" of {length}{' or more' if least else ''} entries" if length else ""
    shown = TYPES.get(got, str(got)) if value is msgspec.UNSET else written(value)
    return f"got {shown}, expected {expected}"


def written(value: Any) -> str:
    """Return a value about as it is written in a file, cut where it is long."""
    if isinstance(value, dict):
        return "a table"
    text = str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def choices_of(kind: type[msgspec.Struct], keys: Keys) -> str:
    """Return the words that a struct's field may be, and `a whole number` where one may be, too; empty for others."""

    def words(hint: Any) -> Iterator[str]:
        if get_origin(hint) is Literal:
            yield from map(str, get_args(hint))
        elif hint is int:
            yield TYPES["int"]
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
    except UnicodeDecodeError as error:
        line, byte = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise UsageError(f"{name}, line {line}: byte {byte:#04x} is not UTF-8: save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise broken(name, " ".join(str(error).split())) from None
    except ValueError:  # Python's own, which tomllib lets through
        raise UsageError(f"{name}: a number has thousands of digits") from None


def broken(name: str, message: str) -> UsageError:
    """Return the error for what is no TOML, by tomllib's message."""
    found = re.fullmatch(r"(.+) \(at (?:line (\d+), column (\d+)|end of document)\)", message)
    if not found:
        return UsageError(f"{name}: {message}")
    what, line, column = found.groups()
    if not line:
        return UsageError(f"{name}, at its end: no valid TOML: a value, a list or a text is not complete")
    hint = f": {HINTS[what]}" if what in HINTS else ""
    return UsageError(f"{name}, line {line}, column {column}: no valid TOML: {what[0].lower()}{what[1:]}{hint}")


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
