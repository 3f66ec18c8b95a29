"""JSON to plain values; where a field is in it is looked up only when somebody asks, for an error.

Python's own reader is a hundred times faster than one of YAML, and a cluster's dump is JSON.
"""

from __future__ import annotations

import json
from json import JSONDecodeError, JSONDecoder
from typing import Any, NoReturn

from vectorplane.control.config_error import ConfigError, Path, Problem
from vectorplane.control.config_yaml import MAX_BYTES, Document

_SPACE = " \t\r\n"


class _Refused(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _Refused(f"duplicate key {next(k for k in keys if keys.count(k) > 1)!r}")
    return result


def _no_number(text: str) -> NoReturn:
    raise _Refused(f"{text} is no JSON number")


class JsonDocument(Document):
    """A document whose lines are found when they are wanted."""

    def __init__(self, file: str, value: Any, text: str) -> None:
        super().__init__(file, value)
        self._text = text

    def line(self, path: Path) -> int:
        """Line of a field, or of the nearest thing around it that is there."""
        return self._text.count("\n", 0, _place(self._text, path)) + 1


def parse_json(text: str | bytes, file: str) -> JsonDocument:
    """The JSON value in ``text`` (UTF-8).

    Raises:
        ConfigError: it is not JSON, too large, nested too deeply, or has a key twice.
    """
    if len(text) > MAX_BYTES:
        raise ConfigError(file, [Problem(0, (), f"larger than {MAX_BYTES >> 20} MB")])
    try:
        decoded = text.decode() if isinstance(text, bytes) else text
        value = json.loads(decoded, object_pairs_hook=_unique, parse_constant=_no_number)
        return JsonDocument(file, value, decoded)
    except JSONDecodeError as e:
        raise ConfigError(file, [Problem(e.lineno, (), f"not JSON: {e.msg}")]) from None
    except UnicodeDecodeError as e:
        raise ConfigError(file, [Problem(e.object[: e.start].count(b"\n") + 1, (), "not UTF-8")]) from None
    except RecursionError:
        raise ConfigError(file, [Problem(0, (), "nested too deeply")]) from None
    except (_Refused, ValueError) as e:  # ValueError: a number of thousands of digits
        raise ConfigError(file, [Problem(0, (), str(e))]) from None


def _place(text: str, path: Path) -> int:
    """Where the value of a path begins, or that of the nearest thing around it."""
    decoder = JSONDecoder()
    at = _skip(text, 0)
    for step in path:
        inner = _member(decoder, text, at, step) if text[at] == "{" else _element(decoder, text, at, step)
        if inner is None:
            break
        at = inner
    return at


def _skip(text: str, at: int, characters: str = _SPACE) -> int:
    while at < len(text) and text[at] in characters:
        at += 1
    return at


def _member(decoder: JSONDecoder, text: str, at: int, step: str | int) -> int | None:
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, at, _SPACE + ":")
        if key == step:
            return at
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, _SPACE + ",")
    return None


def _element(decoder: JSONDecoder, text: str, at: int, step: str | int) -> int | None:
    if text[at] != "[" or not isinstance(step, int):
        return None
    at = _skip(text, at + 1)
    for _ in range(step):
        if text[at] == "]":
            return None
        _, at = decoder.raw_decode(text, at)
        at = _skip(text, at, _SPACE + ",")
    return None if text[at] == "]" else at
