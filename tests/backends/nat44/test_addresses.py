"""Pools of NAT44: what they take and refuse, addresses that are an interface's, the routes that they bring."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.nat44.router import Router, ip, router
from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.nat44 import addresses
from vectorplane.backends.engine.nat44.errors import NoSuchEntry, Unsupported, ValueExists
from vectorplane.graph_nodes.nat44 import tables
from vectorplane.graph_nodes.nat44.tables import NatTables

A, B, C, D = (f"192.0.2.{k}" for k in (1, 2, 3, 4))


@pytest.fixture
def it() -> Iterator[Router]:
    with router() as made:
        yield made


def pool(it: Router, twice: bool = False) -> list[str]:
    return [f"192.0.2.{p.address - ip('192.0.2.0')}" for p in it.nat.addresses.pool(twice)]


def in_memory(it: Router, twice: bool = False) -> list[tuple[int, int, int]]:
    """Last byte of the address, FIB, prefix length (0: not bound), as nodes see them."""
    shared = it.engine.plane.shared(NatTables)
    records = shared._pools[int(twice)][: int(shared.settings["n_twice_pool" if twice else "n_pool"])]
    return [
        (
            int(r["address"]) >> 24 & 255,
            int(r["fib"]),
            int(int(r["mask"]) & 0xFFFFFFFF).bit_count() if r["bound"] else 0,
        )
        for r in records
    ]


def test_nothing_while_nat_is_off(it: Router) -> None:
    it.nat.disable()
    with pytest.raises(Unsupported):
        it.nat.addresses.add(ip(A), None)
    with pytest.raises(Unsupported):
        it.nat.addresses.add_interface(1)
    with pytest.raises(Unsupported):
        it.nat.addresses.delete_interface(1)
    with pytest.raises(NoSuchEntry):
        it.nat.addresses.delete(ip(A))


@pytest.mark.parametrize("twice", [False, True])
def test_come_and_go_in_vpps_order(it: Router, twice: bool) -> None:
    it.nat.addresses.add_range(ip(A), ip(D), None, twice)
    assert pool(it, twice) == [A, B, C, D] and pool(it, not twice) == []
    with pytest.raises(ValueExists):
        it.nat.addresses.add(ip(B), None, twice)
    it.nat.addresses.delete(ip(B), twice)
    assert pool(it, twice) == [A, D, C]  # the last one takes its place
    assert [a for a, _, _ in in_memory(it, twice)] == [1, 4, 3] and in_memory(it, not twice) == []
    it.nat.addresses.add(ip(B), None, twice)
    with pytest.raises(NoSuchEntry):
        it.nat.addresses.delete(ip("192.0.2.9"), twice)
    it.nat.addresses.delete_range(ip(A), ip(D), twice)
    assert pool(it, twice) == [] and in_memory(it, twice) == []


def test_those_of_a_range_before_one_that_is_refused_stay(it: Router) -> None:
    it.nat.addresses.add(ip(C), None)
    with pytest.raises(ValueExists, match=C):
        it.nat.addresses.add_range(ip(A), ip(D), None)
    assert pool(it) == [C, A, B]
    with pytest.raises(NoSuchEntry, match=D):
        it.nat.addresses.delete_range(ip(B), ip("192.0.2.7"))
    assert pool(it) == [A]
    it.nat.addresses.add_range(ip(B), ip(A), None)  # one that ends before it begins
    assert pool(it) == [A] and [a for a, _, _ in in_memory(it)] == [1]


def test_a_full_pool(it: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (addresses, tables):
        monkeypatch.setattr(module, "MOST_ADDRESSES", 3)
    with pytest.raises(OverflowError):
        it.nat.addresses.add_range(ip(A), ip(D), None)
    assert pool(it) == [A, B, C]
    it.nat.addresses.delete(ip(A))
    it.nat.addresses.add(ip(D), None)
    it.nat.disable()
    assert pool(it) == []


def test_a_table_stays_while_an_address_needs_it(it: Router) -> None:
    it.nat.addresses.add(ip(A), 7)
    it.nat.addresses.add(ip(B), 7, True)
    assert it.holders(7) == [NAT]
    assert [fib for _, fib, _ in (*in_memory(it), *in_memory(it, True))] == [it.engine.routes.control.fib_index(7)] * 2
    it.nat.addresses.delete(ip(A))
    assert it.holders(7) == [NAT]
    it.nat.addresses.delete(ip(B), True)
    assert it.holders(7) == [] and 7 not in it.engine.tables
    it.nat.addresses.add(ip(A), 8)
    it.engine.tables.create(8)
    it.nat.disable()
    assert NAT not in it.holders(8) and 8 in it.engine.tables


def test_a_pool_address_is_received_on_outside_interfaces(it: Router) -> None:
    address = "10.0.2.77"
    it.nat.addresses.add(ip(address), None)
    assert it.received(address) is None and not it.asks(2, address)
    it.nat.interfaces.add(1, True)
    assert it.received(address) is None
    it.nat.interfaces.add(2, False)
    assert it.received(address) == 2 and it.asks(2, address)
    it.nat.addresses.add(ip(A), None)
    assert it.received(A) == 2
    it.nat.interfaces.add_output(3)
    assert (it.received(A), it.received(address)) == (2, 2)  # who was first; in VPP it is who came last
    it.nat.interfaces.delete(2, False)
    assert (it.received(A), it.received(address)) == (3, 3)
    it.nat.interfaces.add(2, False)
    it.nat.interfaces.delete_output(3)
    assert (it.received(A), it.received(address)) == (2, 2)
    it.nat.addresses.add(ip(B), None, True)  # not those of twice-NAT
    assert it.received(B) is None
    it.nat.addresses.delete(ip(A))
    assert it.received(A) is None and it.received(address) == 2
    it.nat.interfaces.delete(2, False)
    assert it.received(address) is None and not it.asks(2, address)


def test_the_address_of_an_interface_is_received_as_before(it: Router) -> None:
    """NAT's source comes behind the interface's, and goes without taking that along."""
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(ip("10.0.2.254"), None)
    assert it.received("10.0.2.254") == 2 and it.asks(2, "10.0.2.254")
    it.nat.addresses.delete(ip("10.0.2.254"))
    assert it.received("10.0.2.254") is None and it.asks(2, "10.0.2.254")


def test_sessions_end_with_their_address_and_no_others(it: Router) -> None:
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add_range(ip("10.0.2.10"), ip("10.0.2.13"), None)
    for host in (1, 2, 3):
        it.talk(1, f"10.0.1.{host}", "10.0.2.1")
    used = {s.out_address for s in it.nat.sessions}
    assert len(used) > 1 and len(it.nat.sessions) == 3
    for count, address in enumerate(sorted(used), 1):
        it.nat.addresses.delete(address)
        assert {s.out_address for s in it.nat.sessions} == set(sorted(used)[count:])


# --- addresses that belong to an interface


@pytest.mark.parametrize("twice", [False, True])
def test_an_interface_whose_address_is_the_pools(it: Router, twice: bool) -> None:
    nat = it.nat.addresses
    new = it.interface("pg9")
    nat.add_interface(new, twice)
    nat.add_interface(1, twice)
    assert [p.address for p in nat.pool(twice)] == [ip("10.0.1.254")]
    assert nat.interfaces == [(new, twice), (1, twice)] and nat.resolved(twice) == {ip("10.0.1.254")}
    with pytest.raises(ValueExists):
        nat.add_interface(1, twice)
    it.engine.addresses.add(new, "192.0.2.1/24")
    it.engine.addresses.add(new, "192.0.2.2/24")  # the first one is the pool's
    assert [p.address for p in nat.pool(twice)] == [ip("10.0.1.254"), ip(A)]
    it.engine.addresses.remove(new, "192.0.2.1/24")
    assert [p.address for p in nat.pool(twice)] == [ip("10.0.1.254")]
    it.engine.addresses.add(new, "192.0.2.3/24")  # as in VPP the one that comes, not the one that is there
    assert [p.address for p in nat.pool(twice)] == [ip("10.0.1.254"), ip(C)]
    nat.delete_interface(new, twice)
    assert nat.interfaces == [(1, twice)] and [p.address for p in nat.pool(twice)] == [ip("10.0.1.254")]
    with pytest.raises(NoSuchEntry):
        nat.delete_interface(new, twice)
    nat.delete_interface(1, twice)
    assert nat.pool(twice) == [] and nat.interfaces == []


def test_an_address_that_is_in_the_pool_already(it: Router) -> None:
    nat = it.nat.addresses
    nat.add(ip("10.0.1.254"), None)
    with pytest.raises(ValueExists):
        nat.add_interface(1)
    assert nat.interfaces == []
    nat.add(ip(A), None)
    new = it.interface("pg9")
    nat.add_interface(new)
    it.engine.addresses.add(new, "192.0.2.1/24")  # VPP leaves it at that
    assert nat.resolved(False) == set() and len(nat.pool(False)) == 2
    it.engine.addresses.remove(new, "192.0.2.1/24")
    assert len(nat.pool(False)) == 2


def test_of_an_unnumbered_interface_the_lenders(it: Router) -> None:
    borrower = it.interface("pg9")
    it.engine.addresses.set_unnumbered(borrower, 1)
    it.nat.addresses.add_interface(borrower)
    assert [p.address for p in it.nat.addresses.pool(False)] == [ip("10.0.1.254")]


def test_one_that_goes_takes_its_address_along(it: Router) -> None:
    """VPP keeps the record: whatever gets the interface's number next is meant by it."""
    new = it.interface("pg9")
    it.nat.addresses.add_interface(new)
    it.engine.addresses.add(new, "192.0.2.1/24")
    it.engine.interfaces.remove(new)
    assert it.nat.addresses.pool(False) == [] and it.nat.addresses.interfaces == [(new, False)]
    assert it.interface("pg10") == new
    it.engine.addresses.add(new, "192.0.2.2/24")
    assert pool(it) == [B]
    it.nat.disable()
    assert it.nat.addresses.interfaces == [] and pool(it) == []


# --- binding


def bound(it: Router) -> list[tuple[int | None, int | None]]:
    return [(p.sw_if_index, p.length) for p in it.nat.addresses.pool(False)]


def test_an_address_with_a_table_is_bound_to_the_outside_interface_that_has_it(it: Router) -> None:
    it.nat.addresses.add(ip("10.0.2.254"), 0)
    it.nat.addresses.add(ip("10.0.3.254"), None)  # any table's: never bound
    it.nat.interfaces.add(1, True)
    assert bound(it) == [(None, None), (None, None)]
    it.nat.interfaces.add(2, False)
    it.nat.interfaces.add(3, False)
    assert bound(it) == [(2, 24), (None, None)]
    assert in_memory(it) == [(254, 0, 24), (254, -1, 0)]
    it.nat.addresses.delete(ip("10.0.3.254"))
    it.nat.addresses.add(ip("10.0.3.254"), 0)  # it comes after the interface
    assert bound(it) == [(2, 24), (3, 24)]


def test_a_binding_follows_the_addresses_of_interfaces(it: Router) -> None:
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(ip(A), 0)
    assert bound(it) == [(None, None)]
    it.engine.addresses.add(2, f"{A}/28")
    assert bound(it) == [(2, 28)] and in_memory(it) == [(1, 0, 28)]
    it.engine.addresses.remove(2, f"{A}/28")
    assert bound(it) == [(2, None)] and in_memory(it) == [(1, 0, 0)]
    it.nat.addresses.add(ip(B), 7)  # of a table that the interface is not in
    it.engine.addresses.add(2, f"{B}/28")
    assert bound(it)[1] == (None, None)
