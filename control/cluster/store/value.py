"""Keys and values: JSON objects as canonical bytes (sorted, no spaces, UTF-8), so that equal values are equal bytes."""

from __future__ import annotations

import json
from typing import Any

from vectorplane.control.cluster.store.errors import InvalidRequest

JsonObject = dict[str, Any]

MAX_BYTES = 3 << 19
"""Of a value, and of all keys and values of one transaction: 1.5 MiB, etcd's ``--max-request-bytes``."""
MAX_DEPTH = 100
"""Of lists and objects in a value: one that is too deep for Python's stack could be written and not be read again."""


def encode(key: str, value: JsonObject) -> bytes:
    """The canonical bytes of the value of a key.

    Raises:
        InvalidRequest: it is no JSON object (NaN, keys that are not strings, tuples), nested too deeply, or too large.
    """
    if not isinstance(value, dict):
        raise InvalidRequest(f"{key}: the value is a {type(value).__name__}, not a JSON object")
    if why := _problem(value, MAX_DEPTH):
        raise InvalidRequest(f"{key}: {why}")
    try:
        data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except ValueError as e:  # NaN, half a surrogate pair, an integer of thousands of digits
        raise InvalidRequest(f"{key}: the value is not JSON: {e}") from None
    if len(data) > MAX_BYTES:
        raise InvalidRequest(f"{key}: the value has {len(data)} bytes, {MAX_BYTES} is the most")
    return data


def _problem(value: object, depth: int) -> str:
    """What json.dumps would turn into something else without a word, or could not be read again; empty: nothing."""
    if depth < 0:
        return f"the value is nested more than {MAX_DEPTH} deep"
    if isinstance(value, dict):
        odd = [k for k in value if not isinstance(k, str)]
        if odd:
            return f"the key {odd[0]!r} in the value is not a string"
        return next(filter(None, (_problem(v, depth - 1) for v in value.values())), "")
    if isinstance(value, list):
        return next(filter(None, (_problem(v, depth - 1) for v in value)), "")
    if value is None or isinstance(value, str | int | float):
        return ""
    return f"a {type(value).__name__} in the value is not JSON"


def check_key(key: str) -> None:
    """Raises `InvalidRequest`: a key is a string that is not empty and can be UTF-8."""
    if not isinstance(key, str) or not key:
        raise InvalidRequest(f"{key!r} is no key: it has to be a string that is not empty")
    check_prefix(key)


def check_prefix(prefix: str) -> None:
    """Raises `InvalidRequest`: a prefix is a string (an empty one for all keys) that can be UTF-8."""
    try:
        size = len(prefix.encode())
    except (AttributeError, UnicodeEncodeError):
        raise InvalidRequest(f"{prefix!r} is no key and no prefix: it cannot be UTF-8") from None
    if size > MAX_BYTES:
        raise InvalidRequest(f"a key of {size} bytes: {MAX_BYTES} is the most")
