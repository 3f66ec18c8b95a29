"""Claims: of several that want the same key or number at the same time, each store lets exactly one have it."""

from __future__ import annotations

import re

from vectorplane.control.cluster.store.entry import Entry
from vectorplane.control.cluster.store.errors import NoneFree
from vectorplane.control.cluster.store.store import Store
from vectorplane.control.cluster.store.transaction import Absent, Get, Put
from vectorplane.control.cluster.store.value import JsonObject

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


def put_if_absent(store: Store, key: str, value: JsonObject) -> Entry | None:
    """Write a key unless there is one; None when that was done, else what there is. Raises StoreError."""
    outcome = store.transaction([Absent(key)], [Put(key, value)], [Get(key)])
    return None if outcome.succeeded else outcome.found[0]


def claim(store: Store, prefix: str, first: int, last: int, owner: str) -> int:
    """The smallest number in ``first`` to ``last`` that has no key ``prefix`` + number: from now on it is the owner's.

    The record is ``{"id": number, "name": owner}``, Contiv's node record, to which the owner may add. An owner that
    has a number already gets that one. Owners may race; the same owner twice at once may get two numbers.

    Raises:
        NoneFree: all are taken.
        StoreError: the store failed.
    """
    while True:
        taken = {entry.key: entry for entry in store.list(prefix).entries}
        owned = [key.removeprefix(prefix) for key, entry in taken.items() if entry.value.get("name") == owner]
        numbers = [int(n) for n in owned if _NUMBER.fullmatch(n) and first <= int(n) <= last]
        if numbers:
            return min(numbers)
        number = next((n for n in range(first, last + 1) if f"{prefix}{n}" not in taken), None)
        if number is None:
            raise NoneFree(f"{prefix}: all numbers from {first} to {last} are taken, none is left for {owner}")
        if put_if_absent(store, f"{prefix}{number}", {"id": number, "name": owner}) is None:
            return number
