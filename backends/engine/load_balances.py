"""Load-balances and their buckets: made, changed under the eyes of the workers, given back.

A record is two aligned 64-bit words, each written with one store: buckets and hash, and the data-path object of a
load-balance that has one bucket. A reader may see one word old and the other new, so: what is to be found is
written before the word that leads there; a bucket array is never smaller than any number of buckets that was
published with it or just before; and nothing is used again before all workers have passed an epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.backends.engine.multipath import normalise
from vectorplane.graph_nodes.forwarding import (
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_SIZE,
    HASH_DEFAULT,
    LB_SIZE,
    LOAD_BALANCE,
    ROUTER_ID_BUCKET,
    Forwarding,
)
from vectorplane.jit.kernel import compiled, helper
from vectorplane.jit.ops import ld64, rec, st64
from vectorplane.jit.words import signed

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_STEP = 256
"""Counters become visible in steps of this many."""


def dpo_word(next_slot: int, kind: int, index: int) -> int:
    """A `DPO` as the 64-bit word that it is in memory."""
    return (next_slot & 0xFFFF) | (kind & 0xFFFF) << 16 | (index & 0xFFFFFFFF) << 32


@helper
def _leads_to(word: int, adjacency: int) -> bool:
    kind = (word >> 16) & 0xFFFF
    return (kind == DPO_ADJACENCY or kind == DPO_ADJACENCY_INCOMPLETE) and ((word >> 32) & 0xFFFFFFFF) == adjacency


@compiled
def retarget(lbs: int, n_lbs: int, buckets: int, n_buckets: int, adjacency: int, word: int) -> int:
    """Every data-path object that leads to this adjacency becomes ``word``; gives how many there were."""
    n = 0
    for i in range(n_lbs):
        at = lbs + i * LB_SIZE
        if rec(at, LOAD_BALANCE).n_minus_1 == 0 and _leads_to(ld64(at + 8), adjacency):
            st64(at + 8, word)
            n += 1
    for i in range(n_buckets):
        at = buckets + i * DPO_SIZE
        if _leads_to(ld64(at), adjacency):
            st64(at, word)
            n += 1
    return n


class LoadBalances:
    """The load-balances of an engine. One thread at a time may change them."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._forwarding = plane.shared(Forwarding)
        self._words = self._forwarding.load_balances.view(np.int64).reshape(-1, 2)
        self._buckets = self._forwarding.buckets.view(np.int64)
        self._runs: dict[int, list[int]] = {}
        self._sizes: dict[int, int] = {}
        self._lb_top = 1
        self._bucket_top = 0
        self._visible = 0

    def add(self, hops: Sequence[tuple[int, int]], hash_config: int = HASH_DEFAULT) -> int:
        """A new load-balance over (data-path object word, weight) pairs; none: drop. Gives its index.

        Raises:
            OverflowError: no room.
        """
        index = self._forwarding.lb_pool.take()
        if index >= self._visible:
            self._visible = -(-(index + 1) // _STEP) * _STEP
            self._forwarding.route_to.extend(self._visible)
            self._forwarding.route_via.extend(self._visible)
        if index < self._lb_top:  # used before; new ones are zero
            self._forwarding.route_to.clear(index)
            self._forwarding.route_via.clear(index)
            self._words[index] = 0
        self._lb_top = max(self._lb_top, index + 1)
        self.set(index, hops, hash_config)
        return index

    def set(self, index: int, hops: Sequence[tuple[int, int]], hash_config: int = HASH_DEFAULT) -> None:
        """Change a load-balance."""
        words = self._words[index]
        old = int(words[0])
        run = (old >> 32) & 0xFFFFFFFF
        hash_bits = (hash_config & 0xFFFF) << 16
        if len(hops) < 2:
            words[1] = signed(hops[0][0] if hops else 0)
            words[0] = signed(run << 32 | hash_bits)
            self._retire_run(index)
            return
        shares = normalise([weight for _, weight in hops])
        row = [signed(hops[i][0]) for i, count in shares for _ in range(count)]
        n = len(row)
        if len(shares) == 1:
            self.set(index, [hops[shares[0][0]]], hash_config)
            return
        size = max(n, (old & 0xFFFF) + 1)
        first = self._take_run(size)
        self._buckets[first : first + size] = np.resize(np.array(row, np.int64), size)
        words[0] = signed(first << 32 | hash_bits | (n - 1))
        self._retire_run(index)
        self._sizes[index] = first << 16 | size.bit_length()

    def remove(self, index: int) -> None:
        """Give a load-balance back. Nothing may lead to it any more."""
        self._plane.epochs.retire(lambda: self._clear(index))
        self._retire_run(index)
        self._forwarding.lb_pool.give(index)
        if self._plane.epochs.waiting > _STEP:
            self._plane.epochs.poll()

    def retarget(self, adjacency: int, word: int) -> int:
        """Every data-path object that leads to this adjacency becomes ``word``."""
        f = self._forwarding
        first = ROUTER_ID_BUCKET + 1  # the one before is none
        buckets, n = f.bucket_address + first * DPO_SIZE, self._bucket_top - first
        return retarget(f.lb_address, self._lb_top, buckets, n, adjacency, signed(word))

    def hops(self, index: int) -> list[int]:
        """The data-path objects of its buckets, as words."""
        first, dpo = (int(w) for w in self._words[index])
        n = (first & 0xFFFF) + 1
        if n == 1:
            return [dpo & (1 << 64) - 1]
        at = first >> 32
        return [int(w) & (1 << 64) - 1 for w in self._buckets[at : at + n]]

    def _clear(self, index: int) -> None:
        self._words[index] = 0

    def _take_run(self, size: int) -> int:
        free = self._runs.get(size.bit_length())
        if free:
            return free.pop()
        first = self._forwarding.bucket_pool.take_run(size)
        self._bucket_top = first + size
        return first

    def _retire_run(self, index: int) -> None:
        run = self._sizes.pop(index, None)
        if run is not None:
            free = self._runs.setdefault(run & 0xFFFF, [])
            self._plane.epochs.retire(lambda: free.append(run >> 16))
