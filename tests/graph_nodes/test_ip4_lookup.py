"""ip4-lookup and ip4-load-balance: the longest match of a list, VRFs, ECMP by the flow hash, counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench, Out
from tests.naive.ip4_fast import flow_hash, header, longest_match
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import HASH_DEFAULT, HASH_SRC, Forwarding
from vectorplane.graph_nodes.ip4_lookup import IP4_LOAD_BALANCE, IP4_LOOKUP, LOAD_BALANCE_NEXT, NEXTS, RECEIVE, REWRITE

Route = tuple[int, int, int]


class Lookup(Bench):
    """ip4-lookup; load-balance k (1 to 200) has one bucket: slot 1 + k % 6, object 1000 + k."""

    def __init__(self) -> None:
        super().__init__(IP4_LOOKUP, types=(IP4_LOAD_BALANCE,), arcs=())
        self.plane.graph.add("ip4-load-balance")
        self.fibs, self.forwarding = self.plane.shared(Fibs), self.plane.shared(Forwarding)
        self.forwarding.route_to.extend(512)
        self.forwarding.route_via.extend(512)
        for k in range(1, 201):
            lb = self.forwarding.load_balances[k]
            lb["next"], lb["index"] = self.slot(k), 1000 + k

    @staticmethod
    def slot(k: int) -> int:
        """The next of load-balance k."""
        return (2, 3, 4, 5, 7, 1)[k % 6]

    def routes(self, fib: int, routes: Sequence[Route]) -> None:
        """The table holds these and no others."""
        self.fibs.mtrie.clear(fib)
        if routes:
            prefixes, lengths, values = (np.array(x, np.int64) for x in zip(*routes, strict=True))
            self.fibs.mtrie.load(fib, prefixes, lengths, values)

    def balance(self, k: int, buckets: Sequence[tuple[int, int]], config: int = HASH_DEFAULT) -> None:
        """Load-balance k has these buckets (slot, index), a power of two of them."""
        first = 1000 + 64 * (k - 200)
        for i, (slot, index) in enumerate(buckets):
            b = self.forwarding.buckets[first + i]
            b["next"], b["index"] = slot, index
        lb = self.forwarding.load_balances[k]
        lb["n_minus_1"], lb["hash"], lb["buckets"] = len(buckets) - 1, config, first

    def counted(self, k: int, via: bool = False) -> list[int]:
        """Packets and bytes of a route."""
        vector = self.forwarding.route_via if via else self.forwarding.route_to
        found: list[int] = vector.total(k).tolist()
        return found


@pytest.fixture(scope="module")
def lookup() -> Iterator[Lookup]:
    """One for all tests."""
    made = Lookup()
    yield made
    assert made.leaked() == 0
    made.close()


def to(address: int, **fields: int) -> bytes:
    """A packet."""
    return header(destination=address, **fields) + bytes(20)  # type: ignore[arg-type]


def by_number(outs: list[Out]) -> list[Out]:
    """In the order in which they were sent."""
    return sorted(outs, key=lambda o: o.index)


near = st.one_of(
    st.integers(0, 0xFFFFFFFF),
    st.builds(lambda a, b: 0x0A000000 | a << 8 | b, st.integers(0, 3), st.integers(0, 255)),
    st.sampled_from([0, 0xFFFFFFFF, 0x0A000000, 0x0AFFFFFF, 0x0A000100]),
)


@st.composite
def tables(draw: st.DrawFn) -> list[Route]:
    """Up to 30 routes that overlap a lot."""
    made: dict[tuple[int, int], int] = {}
    for _ in range(draw(st.integers(0, 30))):
        length = draw(st.sampled_from([0, 1, 8, 9, 15, 16, 17, 22, 23, 24, 25, 30, 31, 32]))
        prefix = draw(near) & (0xFFFFFFFF << (32 - length) & 0xFFFFFFFF)
        made[prefix, length] = draw(st.integers(1, 200))
    return [(p, n, v) for (p, n), v in made.items()]


@examples(40)
@given(routes=tables(), addresses=st.lists(near, min_size=1, max_size=40))
def test_longest_match(lookup: Lookup, routes: list[Route], addresses: list[int]) -> None:
    lookup.routes(0, routes)
    edges = [e for p, n, _ in routes[:20] for e in (p, p | 0xFFFFFFFF >> n)]
    addresses = (addresses + edges)[:256]
    for out, address in zip(by_number(lookup.run([to(a) for a in addresses])), addresses, strict=True):
        value = longest_match(routes, address)
        if value is None:
            assert out.next == "ip4-drop" and out.meta["adj"] == 0
        else:
            assert (out.next, out.meta["adj"]) == (NEXTS[lookup.slot(value)], 1000 + value)
        assert out.data == to(address) and out.meta["fib_index"] == 0 and out.meta["flow_hash"] == 0


def test_vrfs(lookup: Lookup) -> None:
    """The table is the interface's, unless the packet names one."""
    one, two = lookup.fibs.add_table(10), lookup.fibs.add_table(20)
    for fib, value in ((0, 1), (one, 2), (two, 3)):
        lookup.routes(fib, [(0x0A000000, 8, value)])
    records = lookup.plane.interfaces.records
    records[1]["ip4_table"], records[2]["ip4_table"] = 0, one
    packet = to(0x0A010203)
    outs = by_number(lookup.run([packet] * 6, rx=[1, 2, 2, 1, 3, 2]))
    assert [o.meta["adj"] for o in outs] == [1001, 1002, 1002, 1001, 1001, 1002]
    outs = by_number(lookup.run([packet] * 3, rx=2, meta=lambda i, m: m.__setitem__("tx_sw_if", (two, 0, -1)[i])))
    assert [o.meta["adj"] for o in outs] == [1003, 1001, 1002]
    assert [o.meta["fib_index"] for o in outs] == [two, 0, one]
    records[2]["ip4_table"] = 0


@pytest.mark.parametrize("config", [HASH_DEFAULT, HASH_SRC, 0])
def test_ecmp(lookup: Lookup, config: int) -> None:
    """The flow hash chooses the bucket; the hash is kept for the next choice."""
    buckets = [(REWRITE, 2000 + i) if i % 2 else (RECEIVE, 2000 + i) for i in range(16)]
    lookup.balance(201, buckets, config)
    lookup.routes(0, [(0, 0, 201)])
    packets = [header(source=i * 7919, destination=i, protocol=17) + bytes([i, 1, 2, 3]) for i in range(200)]
    used = set()
    for out, packet in zip(by_number(lookup.run(packets)), packets, strict=True):
        chosen = flow_hash(packet, config)
        slot, index = buckets[chosen & 15]
        assert (out.next, out.meta["adj"]) == (NEXTS[slot], index)
        assert out.meta["flow_hash"] & 0xFFFFFFFF == chosen
        used.add(index)
    assert len(used) == 16 if config == HASH_DEFAULT else 1 <= len(used) <= 16


def test_a_second_load_balance(lookup: Lookup) -> None:
    """A recursive route: the second choice is by other bits of the hash, counted as ``via``."""
    lookup.balance(202, [(LOAD_BALANCE_NEXT, 203), (REWRITE, 3)])
    lookup.balance(203, [(REWRITE, 10), (REWRITE, 11)])
    lookup.routes(0, [(0, 0, 202)])
    packets = [header(source=i * 31, protocol=17) + bytes([0, i, 0, 9]) for i in range(100)]
    before = lookup.counted(203, True)
    hashes = [flow_hash(p, HASH_DEFAULT) for p in packets]
    outs = by_number(lookup.run(packets))
    expected = [3 if h & 1 else 10 + (h >> 1 & 1) for h in hashes]
    assert [o.meta["adj"] for o in outs] == expected and set(expected) == {3, 10, 11}
    second = sum(not h & 1 for h in hashes)
    assert [b - a for a, b in zip(before, lookup.counted(203, True), strict=True)] == [second, second * 24]


def test_counters(lookup: Lookup) -> None:
    """Packets and bytes of the whole chain, by route."""
    lookup.routes(0, [(0x0A000000, 8, 50), (0x0B000000, 8, 51)])
    before = lookup.counted(50), lookup.counted(51), lookup.counted(0)
    long = header(destination=0x0A000001) + bytes(5000)
    lookup.run([to(0x0A000001), to(0x0B000001), long, to(0x0C000001)])
    after = lookup.counted(50), lookup.counted(51), lookup.counted(0)
    grown = [[y - x for x, y in zip(a, b, strict=True)] for a, b in zip(before, after, strict=True)]
    assert grown == [[2, 40 + 5020], [1, 40], [1, 40]]
