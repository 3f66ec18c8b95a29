"""Claims: the smallest free number, one owner each, however many race."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vectorplane.control.cluster.store.claim import claim, put_if_absent
from vectorplane.control.cluster.store.embedded import EmbeddedStore
from vectorplane.control.cluster.store.errors import NoneFree

IDS = "allocatedIDs/"


def test_one_after_the_other() -> None:
    store = EmbeddedStore()
    assert [claim(store, IDS, 1, 3, name) for name in ("a", "b", "a", "c")] == [1, 2, 1, 3]
    with pytest.raises(NoneFree, match="all numbers from 1 to 3 are taken, none is left for d"):
        claim(store, IDS, 1, 3, "d")
    store.delete(f"{IDS}2")
    assert claim(store, IDS, 1, 3, "d") == 2
    entry = store.get(f"{IDS}2")
    assert entry is not None and entry.value == {"id": 2, "name": "d"}
    assert entry.version == 1


def test_what_else_is_there_is_no_number() -> None:
    store = EmbeddedStore()
    for key in ("01", "x", "2/x", "9"):
        store.put(IDS + key, {"name": "a"})
    assert claim(store, IDS, 1, 3, "a") == 1
    assert claim(store, IDS, 5, 1 << 40, "b") == 5


def test_put_if_absent() -> None:
    store = EmbeddedStore()
    assert put_if_absent(store, "k", {"n": 1}) is None
    found = put_if_absent(store, "k", {"n": 2})
    assert found is not None and found.value == {"n": 1}
    assert store.revision() == 2


def test_race() -> None:
    store = EmbeddedStore()
    owners = [f"node{i}" for i in range(16)]
    start = threading.Barrier(len(owners))

    def agent(owner: str) -> tuple[int, int]:
        start.wait(20)
        return claim(store, IDS, 1, 16, owner), claim(store, IDS, 1, 16, owner)

    with ThreadPoolExecutor(len(owners)) as pool:
        claimed = list(pool.map(agent, owners))
    assert sorted(first for first, _ in claimed) == list(range(1, 17))
    assert all(first == again for first, again in claimed)
    assert store.revision() == 17
