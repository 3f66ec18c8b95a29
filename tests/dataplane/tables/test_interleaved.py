"""Readers between any two stores of a writer, tried one by one (without the JIT, where stores can be counted).

The writer's stores are recorded as a film of the table's memory. A reader then begins at one frame and,
from one of its loads on, sees a later one. What it finds must have been true at some moment in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vectorplane.dataplane.epoch import Epochs
from vectorplane.dataplane.tables import hash_bucket, hash_map
from vectorplane.dataplane.tables.mtrie import Mtrie
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

Change = tuple[int, int]
"""A key and its new value, -1 to remove it."""


def homes(m: hash_map.HashMap) -> tuple[list[int], list[int]]:
    """Keys of the first and of the second home bucket."""
    found: tuple[list[int], list[int]] = ([], [])
    for key in range(100):
        found[hash_bucket.hash_key(m.address, (key,)) & 1].append(key)
    return found


class Film:
    """The memory of a map after each store of a sequence of changes, and what was true around it."""

    def __init__(self, m: hash_map.HashMap, monkeypatch: pytest.MonkeyPatch, changes: list[Change]) -> None:
        self.base = m.address
        memory = m._region.bytes
        self.frames = [memory.tobytes()]
        self.truths: list[list[dict[int, int]]] = []  # around each frame
        before = {key: value for (key,), value in m.items()}
        self.truths.append([before])
        real, real_load = twin.store, twin.load

        def store(address: int, size: int, value: int) -> None:
            locks = address in (m._state["buckets"], m._state["buckets"] + 64) and real_load(address, 8) ^ value == 1
            real(address, size, value)
            if not locks and address >= m._state["buckets"]:  # readers see neither locks nor the free list
                self.frames.append(memory.tobytes())
                self.truths.append([before, after])

        for key, value in changes:
            after = {**before, key: value}
            if value == -1:
                del after[key]
            with monkeypatch.context() as patch:
                patch.setattr(twin, "store", store)
                if value == -1:
                    hash_map.remove_8(m.address, key)
                else:
                    assert hash_map.insert_8(m.address, key, value) != hash_map.FULL
            before = after

    def search(self, m: hash_map.HashMap, patch: pytest.MonkeyPatch, key: int, first: int, at: int, then: int) -> int:
        """A search that sees frame ``first``, and from load ``at`` on frame ``then``."""
        loads = 0

        def load(address: int) -> int:
            nonlocal loads
            frame = self.frames[then if loads >= at else first]
            loads += 1
            where = address - self.base
            return int.from_bytes(frame[where : where + 8], "little", signed=True)

        patch.setattr(hash_bucket, "load_acquire", load)
        value = hash_map.search_8(m.address, key)
        self.more = loads > at
        return value


def programs() -> list[Callable[[list[int], list[int]], list[Change]]]:
    """a[0..2] fill the first home, a[3..4] its overflow bucket; b[0..2] fill the second home."""
    return [
        lambda a, b: [(a[0], 77)],
        lambda a, b: [(a[5], 5)],
        lambda a, b: [(a[0], -1), (a[5], 5)],
        lambda a, b: [(a[3], -1), (a[5], 5)],
        lambda a, b: [(a[4], -1), (a[5], 5)],
        lambda a, b: [(a[1], -1), (a[2], -1), (b[3], 3)],  # the overflow bucket goes to the other chain
        lambda a, b: [(a[3], -1), (a[4], -1), (b[3], 3), (a[3], 33)],
        lambda a, b: [(b[3], 3), (b[0], -1), (a[0], -1)],
    ]


def _hash_map_readers(monkeypatch: pytest.MonkeyPatch, program: int) -> None:
    m = hash_map.HashMap(3, 1, "m")
    assert m.buckets == 2
    a, b = homes(m)
    m.load([[key, 100 + key] for key in (*a[:5], *b[:3])])
    changes = programs()[program](a, b)
    film = Film(m, monkeypatch, changes)
    last = len(film.frames) - 1
    for key in {a[3], a[4], *(key for key, _ in changes)}:
        for first in range(last + 1):
            for then in range(first, last + 1):
                truths = {t.get(key, -1) for around in film.truths[first : then + 1] for t in around}
                for at in range(100):
                    with monkeypatch.context() as patch:
                        value = film.search(m, patch, key, first, at, then)
                    assert value in truths, (key, first, at, then)
                    if not film.more or first == then:
                        break


def _mtrie_readers(monkeypatch: pytest.MonkeyPatch) -> None:
    mtrie = Mtrie(Epochs(1), fibs=1, plies=8)
    routes = [(0x0A000000, 16, 1), (0x0A000100, 24, 2), (0x0A000180, 25, 3), (0x0A00FF01, 32, 4), (0x0A000000, 18, 5)]
    asked = [0x0A000000, 0x0A000101, 0x0A000181, 0x0A00FF01, 0x0A00FF02, 0x0A010000]
    before = after = [0] * len(asked)
    real = twin.store
    frames = 0

    def store(address: int, size: int, value: int) -> None:
        nonlocal frames
        real(address, size, value)
        frames += 1
        if frames % 7 == 0 or size == 4:
            for where, old, new in zip(asked, before, after, strict=True):
                assert mtrie.look_up(0, where) in (old, new)

    def change(update: Callable[[Mtrie], Any]) -> None:
        nonlocal before, after
        other = Mtrie(fibs=1, plies=8)  # what the update leads to
        for route in there:
            other.add(0, *route)
        after = [other.look_up(0, where) for where in asked]
        with monkeypatch.context() as patch:
            patch.setattr(twin, "store", store)
            update(mtrie)
        assert [mtrie.look_up(0, where) for where in asked] == after
        before = after

    there: list[tuple[int, int, int]] = []
    for route in routes:
        there.append(route)
        change(lambda m, r=route: m.add(0, *r))  # type: ignore[misc]
    for prefix, length, _ in routes[1:]:
        there = [r for r in there if r[:2] != (prefix, length)]
        covers = [(n, v) for p, n, v in there if n < length and p == prefix >> (32 - n) << (32 - n)]
        covering, value = max(covers)
        change(lambda m, p=prefix, n=length, v=value, c=covering: m.remove(0, p, n, v, c))  # type: ignore[misc]
    assert mtrie.plies_used == 0
    assert frames > 1000


if not JIT:
    test_hash_map_readers = pytest.mark.parametrize("program", range(8))(_hash_map_readers)
    test_mtrie_readers = _mtrie_readers
