"""Keys, values and transactions that no store takes, and values that stay what they were."""

from __future__ import annotations

from typing import Any

import pytest

from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import InvalidRequest, StoreClosed
from vectorplane.control.cluster.store.transaction import (
    MAX_OPERATIONS,
    Delete,
    DeletePrefix,
    Exists,
    Get,
    Operation,
    Put,
    ValueIs,
)
from vectorplane.control.cluster.store.value import MAX_BYTES, MAX_DEPTH


def _deep(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ([1], "the value is a list, not a JSON object"),
        ("text", "the value is a str, not a JSON object"),
        ({"a": {1: "b"}}, "the key 1 in the value is not a string"),
        ({"a": [(1, 2)]}, "a tuple in the value is not JSON"),
        ({"a": b"b"}, "a bytes in the value is not JSON"),
        ({"a": float("nan")}, "the value is not JSON: "),
        ({"a": float("inf")}, "the value is not JSON: "),
        ({"a": "\ud800"}, "the value is not JSON: "),
        ({"a": 10**5000}, "the value is not JSON: "),
        (_deep(MAX_DEPTH + 1), f"the value is nested more than {MAX_DEPTH} deep"),
        ({"a": "x" * MAX_BYTES}, f"the value has {MAX_BYTES + 8} bytes, {MAX_BYTES} is the most"),
    ],
)
def test_values(value: Any, why: str) -> None:
    store = EmbeddedStore()
    with pytest.raises(InvalidRequest, match=f"^k: {why}"):
        store.put("k", value)
    assert store.revision() == 1


def test_the_largest_value() -> None:
    store = EmbeddedStore()
    store.put("k", {"a": "x" * (MAX_BYTES - len('{"a":""}') - len("k"))})
    with pytest.raises(InvalidRequest, match=f"have {MAX_BYTES + 1} bytes"):
        store.put("kk", {"a": "x" * (MAX_BYTES - len('{"a":""}') - len("k"))})
    store.put("deep", _deep(MAX_DEPTH))
    assert store.revision() == 3


@pytest.mark.parametrize("key", ["", "\ud800", 7, None, b"k"])
def test_keys(key: Any) -> None:
    store = EmbeddedStore()
    for call in (store.get, store.delete, lambda k: store.put(k, {})):
        with pytest.raises(InvalidRequest, match="no key"):
            call(key)
    with pytest.raises(InvalidRequest, match="bytes"):
        store.get("k" * (MAX_BYTES + 1))
    if key != "":
        with pytest.raises(InvalidRequest):
            store.list(key)


@pytest.mark.parametrize(
    "branch",
    [
        [Put("a", {}), Put("a", {})],
        [Put("a", {}), Delete("a")],
        [Delete("a"), Put("a", {})],
        [Put("ab", {}), DeletePrefix("a")],
    ],
)
def test_a_key_is_written_once(branch: list[Operation]) -> None:
    store = EmbeddedStore()
    for arguments in ([(), branch], [(), (), branch]):
        with pytest.raises(InvalidRequest, match="is written twice in one transaction"):
            store.transaction(*arguments)


def test_size_of_a_transaction() -> None:
    store = EmbeddedStore()
    many = [Put(f"k{i}", {}) for i in range(MAX_OPERATIONS)]
    store.transaction([Exists("x")] * MAX_OPERATIONS, many, many)
    with pytest.raises(InvalidRequest, match=f"at most {MAX_OPERATIONS}"):
        store.transaction((), [*many, Get("k")])
    half = {"a": "x" * (MAX_BYTES // 2)}
    with pytest.raises(InvalidRequest, match=r"have \d+ bytes"):
        store.transaction([ValueIs("a", half)], [Put("b", half)])
    assert store.revision() == 2


def test_nobody_outside_changes_a_value() -> None:
    store = EmbeddedStore()
    value = {"a": [1]}
    put = Put("k", value)
    value["a"].append(2)
    store.transaction((), [put])
    entry = store.get("k")
    assert entry is not None
    entry.value["a"].append(3)
    assert entry.value == {"a": [1]}


def test_equal_values_are_equal_whatever_their_order() -> None:
    store = EmbeddedStore()
    store.put("k", {"a": 1, "b": 2})
    assert store.transaction([ValueIs("k", {"b": 2, "a": 1})], ()).succeeded
    assert not store.transaction([ValueIs("k", {"b": 2, "a": True})], ()).succeeded


def test_revisions_that_cannot_be() -> None:
    store = EmbeddedStore()
    with pytest.raises(InvalidRequest, match="begin with 1"):
        store.watch("", 0)
    with pytest.raises(InvalidRequest, match="still to come"):
        store.compact(2)


def test_closed() -> None:
    store = EmbeddedStore()
    store.close()
    store.close()
    for call in (store.revision, lambda: store.get("k"), lambda: store.put("k", {}), lambda: store.watch("")):
        with pytest.raises(StoreClosed):
            call()
