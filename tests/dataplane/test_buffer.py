"""Buffers (rule 5): the cell's layout, the shared memory, and that a buffer never has two owners."""

from __future__ import annotations

import mmap
import queue
import threading
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.budget import examples
from tests.naive.buffers import Buffers
from vectorplane.dataplane.abi import WORKER
from vectorplane.dataplane.buffer import (
    BATCH,
    BUFFER,
    CACHE_SIZE,
    CELL,
    DATA,
    DATA_SIZE,
    HEADROOM,
    META,
    NEXT_PRESENT,
    allocate,
    buffer_at,
    free,
    index_of,
    length_in_chain,
    reserve,
    take,
)
from vectorplane.dataplane.pool import BufferPool
from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import JIT, compiled
from vectorplane.jit.ops import ld32s, st32


@compiled
def allocate_many(worker: int, to: int, n: int) -> int:
    """Allocate ``n`` buffers one by one; their indices go to ``to``; gives how many there were."""
    got = 0
    for _ in range(n):
        index = allocate(worker)
        if index >= 0:
            st32(to + 4 * got, index)
            got += 1
    return got


@compiled
def take_many(worker: int, to: int, n: int) -> int:
    """Reserve and take up to 256."""
    room = reserve(worker, n)
    for i in range(room):
        st32(to + 4 * i, take(worker))
    return room


@compiled
def free_many(worker: int, at: int, n: int) -> int:
    """Free the packets whose indices are at ``at``."""
    for i in range(n):
        free(worker, ld32s(at + 4 * i))
    return 0


@compiled
def length_of(worker: int, index: int) -> int:
    """Bytes of a packet, and that its address leads back to its index."""
    b = buffer_at(worker, index)
    return length_in_chain(b) if index_of(worker, b) == index else -1


class Hands:
    """One worker's end of a pool: its record and its own stack, and nothing else of a worker."""

    def __init__(self, pool: BufferPool) -> None:
        size = 64 * 16 + WORKER.itemsize
        self.region = Region(size + 8 * CACHE_SIZE + 4 * 8192, name="hands")
        self.address = self.region.address
        self.record: Any = self.region.view(WORKER, 0, 1)[0]
        self.record["pool"], self.record["central"] = pool.address, pool.central
        self.record["n_buffers"], self.record["cache"] = pool.count, self.address + size
        self._indices_at = size + 8 * CACHE_SIZE
        self.indices = self.region.view(np.dtype("i4"), self._indices_at, 8192)
        self._cache = self.region.view(np.dtype("i4"), size, 2 * CACHE_SIZE)

    def allocate(self, n: int) -> list[int]:
        """Up to ``n`` buffers."""
        got = allocate_many(self.address, self.address + self._indices_at, n)
        return [int(i) for i in self.indices[:got]]

    def take(self, n: int) -> list[int]:
        """Up to ``n`` buffers, reserved and taken."""
        got = take_many(self.address, self.address + self._indices_at, n)
        return [int(i) for i in self.indices[:got]]

    def free(self, heads: list[int]) -> None:
        """Free these packets."""
        self.indices[: len(heads)] = heads
        free_many(self.address, self.address + self._indices_at, len(heads))

    def cached(self) -> list[int]:
        """Free buffers that this worker keeps."""
        return [int(i) for i in self._cache[: int(self.record["cache_n"])]]


def central(pool: BufferPool) -> list[int]:
    """Free buffers on the shared stack."""
    return [int(i) for i in pool._stack.view(np.dtype("i4"), 128, pool.count)[: pool.free]]


def test_cell_layout() -> None:
    """What DPDK, memif and AF_PACKET will rely on."""
    assert META == 128, "room for an rte_mbuf in front of the metadata"
    assert BUFFER.itemsize == 128
    assert HEADROOM >= 128 and DATA_SIZE == 2048
    assert BUFFER.itemsize + HEADROOM == DATA
    assert CELL % 64 == 0 and CELL // 64 % 2 == 1, "an odd number of cache lines spreads over all cache sets"
    assert CELL >= META + DATA + DATA_SIZE
    assert META % 64 == 0 and (META + DATA) % 64 == 0, "metadata and data begin cache lines"
    hot = [n for n, (_, offset) in {k: v[:2] for k, v in BUFFER.fields.items()}.items() if offset < 64]  # type: ignore[union-attr]
    assert {"current_data", "current_length", "flags", "time", "rx_sw_if", "tx_sw_if", "adj", "error"} <= set(hot)
    assert all(np.dtype(v[0]).kind in "iV" for v in BUFFER.fields.values()), "signed only"  # type: ignore[union-attr]


def test_pool_is_shared_memory() -> None:
    """A second mapping of the descriptor, as another process would make, shows the same bytes."""
    pool = BufferPool(8)
    again = mmap.mmap(pool.fd, pool.count * CELL)
    try:
        assert pool.address % 64 == 0
        pool.meta[3]["current_length"] = 1234
        at = 3 * CELL + META
        assert int.from_bytes(again[at + 2 : at + 4], "little") == 1234
        again[5 * CELL + META + DATA : 5 * CELL + META + DATA + 5] = b"hello"
        pool.meta[5]["current_length"] = 5
        assert pool.data(5) == b"hello"
    finally:
        again.close()
        pool.close()


class Machine(RuleBasedStateMachine):
    """Two workers on one pool of fewer buffers than they could keep to themselves."""

    COUNT = 2 * BATCH + 100

    def __init__(self) -> None:
        super().__init__()
        self.pool = BufferPool(self.COUNT)
        self.hands = [Hands(self.pool), Hands(self.pool)]
        self.model = Buffers(self.COUNT)
        self.packets: list[int] = []
        self.failures = 0

    workers = st.integers(0, 1)

    @rule(w=workers, n=st.sampled_from([1, 2, 100, BATCH - 1, BATCH]), reserved=st.booleans())
    def get(self, w: int, n: int, reserved: bool) -> None:
        """Allocate: as many as asked for, as long as anybody but the other worker has any."""
        hands = self.hands[w]
        reachable = len(hands.cached()) + self.pool.free
        got = hands.take(n) if reserved else hands.allocate(n)
        assert len(got) == min(n, reachable)
        self.failures += n - len(got)
        for index in got:
            self.model.allocated(index)
            m = self.pool.meta[index]
            if reserved:
                m["flags"], m["ref_count"] = 0, 1
            else:
                assert (m["ref_count"], m["tx_sw_if"], m["flags"], m["current_length"]) == (1, -1, 0, 0)
                m["error"], m["current_length"] = 99, 1
        self.packets += got

    @precondition(lambda self: len(self.packets) > 1)
    @rule(data=st.data())
    def chain(self, data: st.DataObject) -> None:
        """Put one packet behind another."""
        a = self.packets.pop(data.draw(st.integers(0, len(self.packets) - 1)))
        head = data.draw(st.sampled_from(self.packets))
        if self.model.references[a] != 1 or self.model.references[head] != 1:
            self.packets.append(a)  # shared packets keep their shape
            return
        last = self.model.whole(head)[-1]
        self.model.chain(last, a)
        self.pool.meta[last]["next_buffer"] = a
        self.pool.meta[last]["flags"] |= NEXT_PRESENT

    @precondition(lambda self: self.packets)
    @rule(data=st.data())
    def share(self, data: st.DataObject) -> None:
        """One more reference to each buffer of a packet."""
        head = data.draw(st.sampled_from(self.packets))
        self.model.share(head)
        for index in self.model.whole(head):
            self.pool.meta[index]["ref_count"] += 1
        self.packets.append(head)

    @precondition(lambda self: self.packets)
    @rule(w=workers, n=st.sampled_from([1, 3, 300]), newest=st.booleans())
    def give(self, w: int, n: int, newest: bool) -> None:
        """Either worker frees packets, whoever allocated them."""
        heads = self.packets[-n:] if newest else self.packets[:n]
        self.packets = self.packets[: -len(heads)] if newest else self.packets[len(heads) :]
        self.hands[w].free(heads)
        for head in heads:
            self.model.release(head)

    @invariant()
    def every_buffer_has_one_place(self) -> None:
        """Free ones lie on exactly one stack, the others on none; refused allocations were counted."""
        free_ones = central(self.pool) + self.hands[0].cached() + self.hands[1].cached()
        assert len(free_ones) == len(set(free_ones)) == self.model.free
        assert not set(free_ones) & set(self.model.references)
        assert sum(int(h.record["alloc_failures"]) for h in self.hands) == self.failures

    def teardown(self) -> None:
        """Give the memory back."""
        for hands in self.hands:
            hands.region.close()
        self.pool.close()


def test_random_sequences() -> None:
    run_state_machine_as_test(Machine, settings=examples(10))


def test_exhaustion_is_a_return_code() -> None:
    pool = BufferPool(300)
    hands = Hands(pool)
    got = hands.allocate(310)
    assert sorted(got) == list(range(300)) and int(hands.record["alloc_failures"]) == 10
    hands.free(got[:7])
    assert sorted(hands.allocate(9)) == sorted(got[:7]) and int(hands.record["alloc_failures"]) == 12
    hands.region.close()
    pool.close()


def test_a_worker_keeps_no_more_than_its_share() -> None:
    """What one worker frees comes back to the others through the shared stack."""
    pool = BufferPool(4 * CACHE_SIZE)
    one, two = Hands(pool), Hands(pool)
    everything = one.allocate(4 * CACHE_SIZE)
    two.free(everything)
    assert len(two.cached()) < CACHE_SIZE
    assert len(one.allocate(2 * CACHE_SIZE)) == 2 * CACHE_SIZE
    for hands in (one, two):
        hands.region.close()
    pool.close()


def test_most_recently_used_first() -> None:
    """The cache stays warm: what was freed last is allocated first."""
    pool = BufferPool(64)
    hands = Hands(pool)
    a, b, _ = hands.allocate(3)
    hands.free([a])
    hands.free([b])
    assert hands.allocate(2) == [b, a]
    hands.region.close()
    pool.close()


@pytest.mark.parametrize("rounds", [400 if JIT else 4])
def test_two_threads_trade_through_the_shared_stack(rounds: int) -> None:
    """Each thread frees what the other allocated. In the end every buffer is in one place, once."""
    pool = BufferPool(4 * CACHE_SIZE)
    hands = [Hands(pool), Hands(pool)]
    mailboxes: list[queue.SimpleQueue[list[int]]] = [queue.SimpleQueue(), queue.SimpleQueue()]
    errors: list[BaseException] = []

    def trade(me: int) -> None:
        rng = np.random.default_rng(me)
        try:
            for _ in range(rounds):
                got = hands[me].allocate(int(rng.integers(1, 300)))
                mailboxes[1 - me].put(got)
                theirs = mailboxes[me].get(timeout=20)
                assert not set(theirs) & set(got), "two owners at once"
                hands[me].free(theirs)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=trade, args=(i,)) for i in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors, errors
    found = central(pool) + hands[0].cached() + hands[1].cached()
    assert sorted(found) == list(range(pool.count))
    for h in hands:
        h.region.close()
    pool.close()


def test_chain_length_and_data() -> None:
    pool = BufferPool(16)
    hands = Hands(pool)
    first, second, third = hands.allocate(3)
    for index, size, behind in ((first, 2048, second), (second, 10, third), (third, 1, None)):
        m = pool.meta[index]
        m["current_length"] = size
        if behind is not None:
            m["next_buffer"], m["flags"] = behind, NEXT_PRESENT
    pool.meta[first]["total_rest"] = 11
    assert length_of(hands.address, first) == 2059
    assert len(pool.data(first)) == 2059
    hands.free([first])
    assert len(central(pool) + hands.cached()) == 16
    hands.region.close()
    pool.close()
