"""Routes: forwarding as the naive FIB works it out, whatever the order of changes; weights; bulk loading; lifetime."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.fib import NaiveFib, NaiveInterface, Place
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.multipath import MAX_BUCKETS, normalise
from vectorplane.backends.engine.route_paths import Path, number
from vectorplane.graph_nodes.forwarding import (
    DPO_ADJACENCY,
    DPO_ADJACENCY_INCOMPLETE,
    DPO_GLEAN,
    DPO_LOAD_BALANCE,
    DPO_RECEIVE,
    HASH_DEFAULT,
    HASH_DST,
    Forwarding,
)

PREFIXES = {1: "10.1.0.0", 2: "10.2.0.0", 3: "10.3.0.0"}


def router() -> tuple[Engine, NaiveFib]:
    """Interfaces 1 to 3, up, 10.N.0.1/24 each, and the naive FIB of the same."""
    engine, naive = Engine(), NaiveFib()
    for n, base in PREFIXES.items():
        index = engine.interfaces.add(f"pg{n}").sw_if_index
        assert index == n
        engine.interfaces.set_up(n)
        engine.addresses.add(n, f"10.{n}.0.1/24")
        naive.interfaces[n] = NaiveInterface(True, number(base) + 1, 24)
    return engine, naive


@pytest.fixture
def engine() -> Iterator[Engine]:
    made, _ = router()
    yield made
    made.close()


def places(engine: Engine, address: int, fib: int = 0) -> set[Place]:
    """Where the nodes' tables lead packets to an address."""
    forwarding = engine.plane.shared(Forwarding)
    control = engine.routes.control
    todo, found = [control.fibs.mtrie.look_up(fib, address)], set()
    while todo:
        for word in control.load_balances.hops(todo.pop()):
            kind, index = word >> 16 & 0xFFFF, word >> 32
            adjacency = forwarding.adjacencies[index] if index < 1 << 20 else None
            if kind == DPO_LOAD_BALANCE:
                todo.append(index)
            elif kind == DPO_RECEIVE:
                found.add(("receive", index))
            elif adjacency is not None and kind == DPO_GLEAN:
                found.add(("glean", int(adjacency["sw_if_index"])))
            elif adjacency is not None and kind in (DPO_ADJACENCY, DPO_ADJACENCY_INCOMPLETE):
                hop = int(adjacency["next_hop"]).to_bytes(4, "little", signed=True)
                assert int(adjacency["type"]) == kind
                known = kind == DPO_ADJACENCY
                found.add(("neighbour", int(adjacency["sw_if_index"]), int.from_bytes(hop, "big"), known))
    return found


def mac(n: int) -> bytes:
    return bytes([2, 0, 0, 0, n >> 8, n & 255])


def a_path(random: Random, layer: int) -> Path:
    """A path of a route in layer 0 (20.x) to 2 (40.x): recursive ones lead to layers below, so there are no loops."""
    kind = random.randrange(10)
    n = random.randrange(1, 4)
    weight, preference = random.choice((1, 1, 2, 5)), random.choice((0, 0, 0, 1))
    if kind < 4:
        return Path(number(PREFIXES[n]) + random.randrange(2, 6), n, weight, preference)
    if kind == 4:
        return Path(0, n, weight, preference)
    if kind == 5:
        return Path(kind="drop")
    below = random.randrange(layer + 1)
    base = number(PREFIXES[n]) + random.randrange(1, 6) if below == 0 else (10 + 10 * below) << 24
    return Path(base if below == 0 else base | random.randrange(4) << 16 | random.randrange(4), -1, weight, preference)


def step(random: Random, engine: Engine, naive: NaiveFib) -> None:
    """One random change of both."""
    what = random.randrange(12)
    if what < 5:
        layer = random.randrange(3)
        length = random.choice((8, 14, 16, 24, 31, 32))
        address = (20 + 10 * layer) << 24 | random.randrange(4) << 16 | random.randrange(4)
        prefix = (address & (-1 << (32 - length)), length)
        paths = tuple(dict.fromkeys(a_path(random, layer) for _ in range(random.randrange(1, 4))))
        ways = {(p.next_hop, p.sw_if_index, p.kind): p for p in paths}
        paths = tuple(ways.values())
        engine.routes.update(prefix, paths)
        naive.routes[prefix] = paths
    elif what < 7:
        if naive.routes:
            prefix = random.choice(sorted(naive.routes))
            engine.routes.remove(prefix)
            del naive.routes[prefix]
    elif what == 7:
        # a route inside a connected prefix
        n = random.randrange(1, 4)
        prefix = (number(PREFIXES[n]), random.choice((25, 30, 24)))
        paths = (a_path(random, 0),)
        if paths[0].is_recursive:
            return
        engine.routes.update(prefix, paths)
        naive.routes[prefix] = paths
    elif what < 10:
        n = random.randrange(1, 4)
        address = number(PREFIXES[random.choice((n, n, n, 1))]) + random.randrange(2, 6)
        if (n, address) in naive.neighbours:
            engine.neighbours.remove(n, address)
            naive.neighbours.discard((n, address))
        else:
            engine.neighbours.add(n, address, mac(random.randrange(99)), static=True)
            naive.neighbours.add((n, address))
    else:
        n = random.randrange(1, 4)
        up = not naive.interfaces[n].up
        naive.interfaces[n].up = up
        engine.interfaces.set_up(n, up)


def compare(engine: Engine, naive: NaiveFib) -> None:
    """The same places for every address that anything is known of."""
    asked = {p for p, _ in naive.entries()} | {p | 1 for p, n in naive.entries() if n < 32} | {0x08080808}
    for address in sorted(asked):
        got, want = places(engine, address), naive.places(address)
        assert got == want, f"{address:#x}: {got} != {want}"


@settings(derandomize=True, deadline=None, max_examples=25)
@given(st.integers(0, 1 << 32))
def test_any_changes(seed: int) -> None:
    random = Random(seed)
    engine, naive = router()
    try:
        for k in range(40):
            step(random, engine, naive)
            if k % 4 == 3:
                compare(engine, naive)
        for prefix in list(naive.routes):
            engine.routes.remove(prefix)
        naive.routes.clear()
        engine.neighbours.flush()
        naive.neighbours.clear()
        compare(engine, naive)
        control = engine.routes.control
        assert not control._via_users and not any(s.entries or s.bulk for s in unused(engine))
    finally:
        engine.close()


def unused(engine: Engine) -> list[object]:
    """Path sets that no entry should keep alive any more."""
    kept = {id(e.path_set) for e in engine.routes.control.entries.values()}
    return [s for s in engine.routes.control.path_sets.by_number.values() if id(s) not in kept]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 255), min_size=1, max_size=20))
def test_normalise(weights: list[int]) -> None:
    shares = normalise(weights)
    n = sum(count for _, count in shares)
    assert n & (n - 1) == 0 and n <= MAX_BUCKETS
    assert sorted(i for i, _ in shares) == list(range(len(weights))) and min(c for _, c in shares) >= 1
    if len(set(weights)) > 1 or len(weights) > 2:
        error = sum(abs(count / n - weights[i] / sum(weights)) for i, count in shares)
        assert error <= 0.2 or n == MAX_BUCKETS


def test_normalise_as_vpp() -> None:
    # what VPP shows for these: 3 equal paths fill 16 buckets, two with weights 1 and 3 fill 4
    assert [c for _, c in normalise([1, 1, 1])] == [6, 5, 5]
    assert normalise([1, 3]) == [(1, 3), (0, 1)]
    assert len(normalise([1] * 10000)) == MAX_BUCKETS
    with pytest.raises(ValueError):
        normalise([])


def test_weights_in_buckets(engine: Engine) -> None:
    a, b = engine.routes.path("10.1.0.2", "pg1", weight=1), engine.routes.path("10.2.0.2", "pg2", weight=3)
    index = engine.routes.update("20.0.0.0/8", [a, b])
    hops = engine.routes.control.load_balances.hops(index)
    assert sorted(hops.count(h) for h in set(hops)) == [1, 3]
    # one path less, then back: the load-balance keeps its index
    assert engine.routes.update("20.0.0.0/8", a) == index
    assert len(engine.routes.control.load_balances.hops(index)) == 1
    engine.routes.add("20.0.0.0/8", b)
    assert len(engine.routes.control.load_balances.hops(index)) == 4
    engine.routes.remove("20.0.0.0/8", paths=[a])
    assert places(engine, 20 << 24) == {("neighbour", 2, number("10.2.0.2"), False)}
    engine.routes.remove("20.0.0.0/8", paths=[b])
    assert engine.routes.get("20.0.0.0/8") is None
    with pytest.raises(KeyError):
        engine.routes.remove("20.0.0.0/8")


def test_loops_end_in_a_drop(engine: Engine) -> None:
    routes = engine.routes
    routes.update("20.0.0.0/8", routes.path("30.0.0.1"))
    routes.update("30.0.0.0/8", routes.path("20.0.0.1"))
    assert places(engine, number("20.1.1.1")) == places(engine, number("30.1.1.1")) == set()
    routes.update("20.0.0.1/32", routes.path("10.1.0.2", "pg1"))
    there = {("neighbour", 1, number("10.1.0.2"), False)}
    assert places(engine, number("30.1.1.1")) == places(engine, number("20.1.1.1")) == there
    routes.remove("20.0.0.1/32")
    assert places(engine, number("20.1.1.1")) == places(engine, number("30.1.1.1")) == set()
    routes.update("0.0.0.0/0", routes.path("0.0.0.9"))  # a default route through itself
    assert places(engine, number("99.0.0.1")) == set()


def test_a_neighbour_resolves_in_place(engine: Engine) -> None:
    index = engine.routes.update("20.0.0.0/8", engine.routes.path("10.1.0.7", "pg1"))
    hops = engine.routes.control.load_balances.hops
    before = hops(index)[0]
    engine.neighbours.add(1, "10.1.0.7", mac(7))
    after = hops(index)[0]
    assert before >> 32 == after >> 32 and before != after
    adjacency = engine.plane.shared(Forwarding).adjacencies[after >> 32]
    assert adjacency["short"].tobytes()[-14:].hex() == mac(7).hex() + "02fe00000001" + "0800"
    engine.neighbours.remove(1, "10.1.0.7")
    assert hops(index)[0] == before


def test_bulk_load(engine: Engine) -> None:
    rng = np.random.default_rng(5)
    n = 20_000
    lengths = rng.choice([12, 16, 20, 24, 28, 32], n)
    prefixes = rng.integers(1 << 24, 200 << 24, n)
    which = rng.integers(0, 4, n)
    routes = engine.routes
    paths = [routes.path(f"10.{i}.0.{k}", f"pg{i}") for i in (1, 2) for k in (2, 3)]
    naive: dict[tuple[int, int], int] = {}
    for p, length, w in zip(prefixes.tolist(), lengths.tolist(), which.tolist(), strict=True):
        naive[p & (-1 << (32 - length)), length] = w
    assert routes.load(prefixes, lengths, paths, which) == len(naive)

    def expected(address: int) -> set[Place]:
        for length in range(32, -1, -1):
            w = naive.get((address & (-1 << (32 - length)), length))
            if w is not None:
                return {("neighbour", paths[w].sw_if_index, paths[w].next_hop, False)}
        return set()

    asked = [int(a) for a in rng.choice(prefixes, 300)] + [int(a) for a in rng.integers(11 << 24, 200 << 24, 100)]
    for address in asked:
        assert places(engine, address) == expected(address)
    # changes of single routes
    for prefix in list(naive)[:200]:
        if rng.integers(2):
            routes.remove(prefix)
            del naive[prefix]
        else:
            routes.update(prefix, paths[3])
            naive[prefix] = 3
    # some are loaded again
    again = list(naive)[100:400]
    routes.load([p for p, _ in again], [k for _, k in again], paths[:1])
    naive.update(dict.fromkeys(again, 0))
    for address in asked:
        assert places(engine, address) == expected(address)
    listed = [r for r in routes.dump() if r.source == "API"]
    assert {(r.prefix, r.length) for r in listed} == set(naive)
    for r in listed:
        assert r.paths == (paths[naive[r.prefix, r.length]],)
    with pytest.raises(ValueError):
        routes.load([0], [33], paths)


def test_bulk_routes_cover(engine: Engine) -> None:
    routes = engine.routes
    routes.update("40.0.0.0/8", routes.path("20.1.0.1"))
    assert places(engine, 40 << 24) == set()
    routes.load([20 << 24], [8], [routes.path("10.1.0.2", "pg1")])
    there = {("neighbour", 1, number("10.1.0.2"), False)}
    assert places(engine, 40 << 24) == there
    engine.interfaces.set_up(1, False)
    assert places(engine, 40 << 24) == places(engine, 20 << 24) == set()
    engine.interfaces.set_up(1)
    assert places(engine, 40 << 24) == there
    routes.remove("20.0.0.0/8")
    assert places(engine, 40 << 24) == set()


def test_tables(engine: Engine) -> None:
    routes = engine.routes
    fib = routes.add_table(7, "seven")
    routes.update("20.0.0.0/8", routes.path("10.1.0.2", "pg1"), table=7)
    assert places(engine, 20 << 24) == set()
    assert places(engine, 20 << 24, fib) == {("neighbour", 1, number("10.1.0.2"), False)}
    routes.update("30.0.0.0/8", routes.path("20.0.0.1", table=7))
    assert places(engine, 30 << 24) == places(engine, 20 << 24, fib)
    with pytest.raises(ValueError):
        routes.remove_table(7)
    routes.remove("30.0.0.0/8")
    routes.remove_table(7)
    with pytest.raises(KeyError):
        routes.update("20.0.0.0/8", routes.path("10.1.0.2", "pg1"), table=7)
    assert [str(r) for r in routes.dump()][:2] == ["0.0.0.0/0", "0.0.0.0/32"]


def test_flow_hash(engine: Engine) -> None:
    paths = [engine.routes.path(f"10.{n}.0.2", f"pg{n}") for n in (1, 2)]
    single = engine.routes.update("20.0.0.0/8", paths)
    engine.routes.load([30 << 24], [8], [paths])
    shared = engine.routes.get("30.0.0.0/8")
    assert shared is not None
    records = engine.plane.shared(Forwarding).load_balances
    assert {int(records[i]["hash"]) for i in (single, shared.stats_index)} == {HASH_DEFAULT}
    engine.routes.set_flow_hash(0, HASH_DST)
    assert {int(records[i]["hash"]) for i in (single, shared.stats_index)} == {HASH_DST}
    assert engine.routes.control.load_balances.hops(single) == engine.routes.control.load_balances.hops(
        shared.stats_index
    )


def test_refusals(engine: Engine) -> None:
    routes = engine.routes
    with pytest.raises(KeyError):
        routes.path("10.0.0.1", "pg9")
    with pytest.raises(ValueError):
        routes.update("20.0.0.0/33", routes.path("10.1.0.2", "pg1"))
    with pytest.raises(ValueError):
        routes.update("20.0.0.0/8", [])
    with pytest.raises(KeyError):
        routes.update("20.0.0.0/8", Path(1, 77))
    info = routes.lookup("10.1.0.1")
    assert info is not None and (str(info), info.source) == ("10.1.0.1/32", "interface")
