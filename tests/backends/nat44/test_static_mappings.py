"""Static mappings of NAT44: what is taken and refused, keys, routes, tables, those of interfaces, services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.backends.nat44.router import UDP, Router, ip, router
from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.nat44.errors import InvalidValue, NoSuchEntry, Unspecified, Unsupported, ValueExists
from vectorplane.backends.engine.nat44.static_mappings import Local, StaticMappings
from vectorplane.graph_nodes.nat44 import tables
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_IDENTITY,
    SM_LB,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_SWITCH_ADDRESS,
    SM_TWICE_NAT,
)
from vectorplane.graph_nodes.nat44.tables import NatTables

HOST, OTHER, EXTERNAL, SECOND = "10.0.1.1", "10.0.1.2", "192.0.2.1", "192.0.2.2"
TCP = 6


@pytest.fixture
def it() -> Iterator[Router]:
    with router() as made:
        yield made


Change = Callable[..., None]


def of(
    change: Change,
    local: str = HOST,
    external: str = EXTERNAL,
    ports: tuple[int, int] = (8080, 80),
    flags: int = 0,
    vrf: int | None = None,
    proto: int = TCP,
    interface: int | None = None,
) -> None:
    """Add or delete a mapping of a port."""
    flags |= 0 if interface is None else SM_SWITCH_ADDRESS
    change(ip(local), ip(external), *ports, proto, vrf, interface, flags)


def identity(change: Change, address: str = HOST, port: int = 0, vrf: int | None = None, **more: Any) -> None:
    """Add or delete an identity mapping."""
    flags = SM_IDENTITY | (0 if port else SM_ADDR_ONLY)
    of(change, address, address, (port, port), flags, vrf, TCP if port else 0, **more)


def keys(it: Router, port: int = 80, local_port: int = 8080, vrf: int = 0) -> tuple[int | None, int | None]:
    """The mapping that is found by `EXTERNAL`, and by `HOST`."""
    shared = it.engine.plane.shared(NatTables)
    fib = it.engine.routes.control.fib_index(vrf)
    return shared.find_key(False, ip(EXTERNAL), port, 0, TCP), shared.find_key(True, ip(HOST), local_port, fib, TCP)


def n_keys(it: Router) -> int:
    return int(it.engine.plane.shared(NatTables).settings["n_mappings"])


def externals(mappings: StaticMappings) -> list[str]:
    return [f"{m.index}: {m.external & 255}:{m.external_port}" for m in mappings]


def test_nothing_while_nat_is_off(it: Router) -> None:
    mappings = it.nat.mappings
    it.nat.disable()
    for change in (mappings.add, mappings.delete):
        with pytest.raises(Unsupported):
            of(change)
    with pytest.raises(Unsupported):
        mappings.add_lb(ip(EXTERNAL), 80, TCP, [], 0)
    with pytest.raises(Unsupported):
        mappings.delete_lb(ip(EXTERNAL), 80, TCP, 0)
    for change in (mappings.add_local, mappings.delete_local):
        with pytest.raises(Unsupported):
            change(ip(EXTERNAL), 80, Local(), TCP)


@pytest.mark.parametrize(
    "flags",
    [
        SM_IDENTITY | SM_OUT2IN_ONLY,
        SM_IDENTITY | SM_TWICE_NAT,
        SM_IDENTITY | SM_SELF_TWICE_NAT,
        SM_ADDR_ONLY | SM_TWICE_NAT,
        SM_ADDR_ONLY | SM_SELF_TWICE_NAT,
    ],
)
def test_what_does_not_go_together(it: Router, flags: int) -> None:
    for change in (it.nat.mappings.add, it.nat.mappings.delete):
        with pytest.raises(Unsupported):
            of(change, flags=flags)


def test_it_is_found_by_both_sides(it: Router) -> None:
    of(it.nat.mappings.add)
    (m,) = it.nat.mappings
    assert (m.index, m.vrf, m.fib, m.flags, m.locals) == (0, 0, 0, 0, [])
    assert keys(it) == (0, 0) and n_keys(it) == 2
    with pytest.raises(ValueExists, match=EXTERNAL):
        of(it.nat.mappings.add, OTHER)
    with pytest.raises(ValueExists, match=HOST):
        of(it.nat.mappings.add, external=SECOND)
    of(it.nat.mappings.add, external=SECOND, flags=SM_OUT2IN_ONLY)  # nobody is found by its local side
    assert keys(it) == (0, 0) and n_keys(it) == 3
    of(it.nat.mappings.delete, external=SECOND, flags=SM_OUT2IN_ONLY)
    of(it.nat.mappings.delete)
    assert keys(it) == (None, None) and n_keys(it) == 0 and list(it.nat.mappings) == []
    with pytest.raises(NoSuchEntry):
        of(it.nat.mappings.delete)


def test_of_an_address_ports_and_protocol_do_not_matter(it: Router) -> None:
    of(it.nat.mappings.add, flags=SM_ADDR_ONLY)
    (m,) = it.nat.mappings
    assert (m.local_port, m.external_port, m.proto) == (0, 0, 0)
    of(it.nat.mappings.add, OTHER)  # of a port of the same address
    of(it.nat.mappings.delete, ports=(1, 2), proto=UDP, flags=SM_ADDR_ONLY)
    assert externals(it.nat.mappings) == ["1: 1:80"]


def test_numbers_are_a_pools(it: Router) -> None:
    for port in (1, 2, 3):
        of(it.nat.mappings.add, ports=(port, port))
    for port in (1, 2):
        of(it.nat.mappings.delete, ports=(port, port))
    of(it.nat.mappings.add, ports=(4, 4))
    assert externals(it.nat.mappings) == ["1: 1:4", "2: 1:3"]
    it.nat.disable()
    it.nat.enable()
    of(it.nat.mappings.add)
    assert externals(it.nat.mappings) == ["0: 1:80"]


def test_no_key_is_left_whatever_is_said_of_the_local_side(it: Router) -> None:
    """VPP takes what it is told, and keeps a key that leads to a mapping which is gone."""
    of(it.nat.mappings.add)
    of(it.nat.mappings.delete, OTHER, ports=(1, 80), flags=SM_OUT2IN_ONLY)
    assert n_keys(it) == 0
    of(it.nat.mappings.add)
    of(it.nat.mappings.add, external=SECOND, flags=SM_OUT2IN_ONLY)
    of(it.nat.mappings.delete, external=SECOND)  # the other one's key stays
    assert keys(it) == (0, 0) and n_keys(it) == 2


def test_tables(it: Router) -> None:
    it.nat.disable()
    it.nat.enable(inside_vrf=5)
    of(it.nat.mappings.add, vrf=7)
    of(it.nat.mappings.add, external=SECOND)  # the same local side, in the inside table
    assert [m.vrf for m in it.nat.mappings] == [7, 5] and it.holders(7) == [NAT]
    assert keys(it, vrf=7) == (0, 0) and keys(it, vrf=5) == (0, 1)
    with pytest.raises(ValueExists):
        of(it.nat.mappings.add, external="192.0.2.3", vrf=7)
    of(it.nat.mappings.delete, vrf=99)  # which table is said does not matter
    assert 7 not in it.engine.tables
    it.nat.disable()
    assert 5 not in it.engine.tables and list(it.nat.mappings) == []


def test_no_room(it: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_MAPPINGS", 1)
    of(it.nat.mappings.add)
    with pytest.raises(OverflowError):
        of(it.nat.mappings.add, OTHER, SECOND, vrf=7)
    with pytest.raises(OverflowError):
        lb(it, flags=SM_OUT2IN_ONLY, external=SECOND, vrf=7)
    assert 7 not in it.engine.tables and len(it.nat.mappings) == 1 and n_keys(it) == 2
    of(it.nat.mappings.delete)
    of(it.nat.mappings.add, OTHER, SECOND)
    assert externals(it.nat.mappings) == ["0: 2:80"]


def test_the_external_address_is_received_on_outside_interfaces(it: Router) -> None:
    address = "10.0.2.80"
    it.nat.interfaces.add(2, False)
    of(it.nat.mappings.add, external=address)
    assert it.received(address) == 2 and it.asks(2, address)
    of(it.nat.mappings.add, external=address, ports=(8081, 81))
    it.nat.addresses.add(ip(address), None)
    of(it.nat.mappings.delete, external=address)
    of(it.nat.mappings.delete, external=address, ports=(8081, 81))
    assert it.received(address) == 2  # the pool's
    it.nat.addresses.delete(ip(address))
    assert it.received(address) is None and not it.asks(2, address)
    of(it.nat.mappings.add)
    it.nat.interfaces.add(3, False)
    assert it.received(EXTERNAL) == 2  # who was first; in VPP it is who came last
    it.nat.interfaces.delete(2, False)
    assert it.received(EXTERNAL) == 3
    it.nat.interfaces.delete(3, False)
    assert it.received(EXTERNAL) is None


def test_the_external_address_of_a_balanced_mapping_is_not_received(it: Router) -> None:
    it.nat.mappings.add_lb(ip(EXTERNAL), 80, 17, [Local(ip(HOST), 80, 1), Local(ip(OTHER), 80, 1)], SM_OUT2IN_ONLY)
    it.nat.interfaces.add(3, False)
    assert it.received(EXTERNAL) is None


# --- identity


def test_identity_mappings_hold_in_tables(it: Router) -> None:
    mappings = it.nat.mappings
    for vrf in (7, 8, None):
        identity(mappings.add, port=80, vrf=vrf)
    (m,) = mappings
    assert [one.vrf for one in m.locals] == [7, 8, 0] and (m.local_port, m.external_port) == (80, 80)
    with pytest.raises(ValueExists):
        identity(mappings.add, port=80, vrf=8)
    with pytest.raises(ValueExists):
        identity(mappings.add, port=80, vrf=0)
    assert [keys(it, local_port=80, vrf=v)[1] for v in (7, 8, 0)] == [0, 0, 0]
    identity(mappings.delete, port=80, vrf=7)
    assert 7 not in it.engine.tables and keys(it, local_port=80)[1] == 0
    with pytest.raises(NoSuchEntry):
        identity(mappings.delete, port=80, vrf=7)
    identity(mappings.add, port=80, vrf=9)
    assert [one.vrf for one in m.locals] == [9, 8, 0]
    for vrf in (9, None, 8):
        identity(mappings.delete, port=80, vrf=vrf)
    assert list(mappings) == [] and n_keys(it) == 0 and 8 not in it.engine.tables


def test_identity_mappings_of_addresses_and_others(it: Router) -> None:
    mappings = it.nat.mappings
    identity(mappings.add)
    with pytest.raises(NoSuchEntry):
        identity(mappings.delete, port=80)
    of(mappings.delete, HOST, HOST, flags=SM_ADDR_ONLY)  # as a plain one: VPP says yes, and it stays
    assert len(mappings) == 1 and n_keys(it) == 2
    of(mappings.add)
    with pytest.raises(NoSuchEntry):
        identity(mappings.delete, EXTERNAL, 80)
    it.nat.disable()
    assert len(mappings) == 0 and n_keys(it) == 0


# --- those that follow an interface


def test_it_follows_the_address_of_its_interface(it: Router) -> None:
    mappings = it.nat.mappings
    new = it.interface("pg9")
    of(mappings.add, interface=new)
    with pytest.raises(ValueExists):
        of(mappings.add, interface=new)
    (entry,) = mappings.to_resolve
    assert not entry.resolved and list(mappings) == []
    it.engine.addresses.add(new, f"{EXTERNAL}/24")
    it.engine.addresses.add(new, f"{SECOND}/24")
    assert entry.resolved and externals(mappings) == ["0: 1:80"] and mappings.resolved() == {0}
    it.engine.addresses.remove(new, f"{SECOND}/24")
    assert entry.resolved and externals(mappings) == ["0: 1:80"]
    it.engine.addresses.remove(new, f"{EXTERNAL}/24")
    assert not entry.resolved and list(mappings) == [] and mappings.resolved() == set()
    it.engine.addresses.add(new, f"{SECOND}/24")
    assert externals(mappings) == ["0: 2:80"]
    of(mappings.delete, interface=new)
    assert mappings.to_resolve == [] and list(mappings) == [] and n_keys(it) == 0
    with pytest.raises(NoSuchEntry):
        of(mappings.delete, interface=new)


def test_of_an_interface_that_has_an_address(it: Router) -> None:
    mappings = it.nat.mappings
    of(mappings.add, interface=2)
    assert [m.external for m in mappings] == [ip("10.0.2.254")] and mappings.to_resolve[0].resolved
    with pytest.raises(ValueExists):
        of(mappings.add, OTHER, interface=2)  # another local side, the same external one
    assert len(mappings.to_resolve) == 1
    of(mappings.add, OTHER, ports=(1, 2), interface=2)
    of(mappings.add, OTHER, ports=(3, 4), interface=3)
    of(mappings.delete, interface=2)
    assert [e.external_port for e in mappings.to_resolve] == [4, 2]  # the last one takes its place
    it.nat.disable()
    assert mappings.to_resolve == []


def test_of_an_unnumbered_interface_the_lenders(it: Router) -> None:
    borrower = it.interface("pg9")
    it.engine.addresses.set_unnumbered(borrower, 2)
    of(it.nat.mappings.add, interface=borrower)
    assert [m.external for m in it.nat.mappings] == [ip("10.0.2.254")]


def test_two_of_an_interface_that_are_each_others_way(it: Router) -> None:
    """VPP takes both, and the second one stays as it is."""
    mappings = it.nat.mappings
    new = it.interface("pg9")
    of(mappings.add, interface=new)
    of(mappings.add, OTHER, interface=new)
    it.engine.addresses.add(new, f"{EXTERNAL}/24")
    assert [e.resolved for e in mappings.to_resolve] == [True, False]


def test_identity_of_an_interface(it: Router) -> None:
    mappings = it.nat.mappings
    for vrf in (7, None):
        identity(mappings.add, port=80, vrf=vrf, interface=2)
    (m,) = mappings
    assert [one.vrf for one in m.locals] == [7, 0] and m.local == m.external == ip("10.0.2.254")
    with pytest.raises(ValueExists):
        identity(mappings.add, "9.9.9.9", 80, 7, interface=2)  # the address does not matter
    it.engine.addresses.remove(2, "10.0.2.254/24")
    assert list(mappings) == [] and len(mappings.to_resolve) == 2 and 7 not in it.engine.tables


def test_an_interface_that_goes(it: Router) -> None:
    """The mapping goes; VPP keeps the record for whatever gets the interface's number next."""
    mappings = it.nat.mappings
    new = it.interface("pg9")
    it.engine.addresses.add(new, f"{EXTERNAL}/24")
    of(mappings.add, interface=new)
    it.engine.interfaces.remove(new)
    assert list(mappings) == [] and [e.sw_if_index for e in mappings.to_resolve] == [new]
    of(mappings.delete, interface=new)


# --- sessions


def outward(it: Router) -> None:
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(ip("10.0.2.77"), None)


def test_sessions_of_a_port_end_with_its_mapping(it: Router) -> None:
    outward(it)
    of(it.nat.mappings.add, external="10.0.2.80", ports=(1000, 80), proto=UDP)
    assert it.talk(1, HOST, "10.0.2.1", 1000) == [("10.0.2.80", 2)]
    assert it.talk(1, HOST, "10.0.2.1", 1001) == [("10.0.2.77", 2)]
    assert it.talk(1, OTHER, "10.0.2.1", 1000) == [("10.0.2.77", 2)]
    of(it.nat.mappings.delete, external="10.0.2.80", ports=(1000, 80), proto=UDP)
    assert [s.is_static for s in it.nat.sessions] == [False, False]


def test_sessions_of_an_address_end_with_its_mapping(it: Router) -> None:
    outward(it)
    of(it.nat.mappings.add, external="10.0.2.80", flags=SM_ADDR_ONLY)
    for port in (1000, 1001):
        assert it.talk(1, HOST, "10.0.2.1", port) == [("10.0.2.80", 2)]
    it.talk(1, OTHER, "10.0.2.1")
    of(it.nat.mappings.delete, external="10.0.2.80", flags=SM_ADDR_ONLY)
    assert [s.is_static for s in it.nat.sessions] == [False]


# --- services


def lb(it: Router, *shares: int, flags: int = 0, external: str = EXTERNAL, port: int = 80, vrf: int = 0) -> None:
    """A service with backends 10.0.1.1, 10.0.1.2 ... that have these shares."""
    backends = [Local(ip(HOST) + k, 8080, share, vrf) for k, share in enumerate(shares or (1, 1))]
    it.nat.mappings.add_lb(ip(external), port, TCP, backends, flags, "tag", 30)


def shares(it: Router) -> list[tuple[int, int]]:
    """As nodes see them: last byte of the address, sum of the shares up to it."""
    shared = it.engine.plane.shared(NatTables)
    record = shared.mappings[0]
    first, count = int(record["first_local"]), int(record["n_locals"])
    rows = shared._locals[first : first + count].tolist()
    return [((address >> 24) & 255, prefix) for address, _, prefix, _ in rows]


def test_a_service(it: Router) -> None:
    with pytest.raises(NoSuchEntry, match="not in the NAT pool"):
        lb(it)
    lb(it, flags=SM_OUT2IN_ONLY)
    assert keys(it) == (0, None) and n_keys(it) == 1
    it.nat.mappings.delete_lb(ip(EXTERNAL), 80, TCP, SM_OUT2IN_ONLY)
    it.nat.addresses.add(ip(EXTERNAL), None)
    lb(it, 10, 20, 30)
    (m,) = it.nat.mappings
    assert (m.flags, m.tag, m.affinity, m.vrf) == (SM_LB, "tag", 30, 0) and shares(it) == [(1, 10), (2, 30), (3, 60)]
    assert keys(it) == (0, 0) and n_keys(it) == 4
    with pytest.raises(ValueExists):
        lb(it)
    it.nat.mappings.delete_lb(ip(EXTERNAL), 80, TCP, 0)
    assert n_keys(it) == 0 and list(it.nat.mappings) == []
    with pytest.raises(NoSuchEntry):
        it.nat.mappings.delete_lb(ip(EXTERNAL), 80, TCP, 0)


def test_a_service_needs_two_backends(it: Router) -> None:
    with pytest.raises(InvalidValue):
        lb(it, 1, flags=SM_OUT2IN_ONLY)
    lb(it, 1, 1, flags=SM_OUT2IN_ONLY)
    with pytest.raises(Unspecified):
        it.nat.mappings.delete_local(ip(EXTERNAL), 80, Local(ip(HOST), 8080), TCP)


def test_backends_come_and_go_in_vpps_order(it: Router) -> None:
    lb(it, 10, 20, 30, flags=SM_OUT2IN_ONLY)
    change = it.nat.mappings
    with pytest.raises(ValueExists):
        change.add_local(ip(EXTERNAL), 80, Local(ip(HOST), 8080, 99), TCP)
    change.delete_local(ip(EXTERNAL), 80, Local(ip(HOST), 8080), TCP)
    assert shares(it) == [(2, 20), (3, 50)]
    with pytest.raises(NoSuchEntry):
        change.delete_local(ip(EXTERNAL), 80, Local(ip(HOST), 8080), TCP)
    change.add_local(ip(EXTERNAL), 80, Local(ip(HOST) + 8, 8080, 5), TCP)
    assert shares(it) == [(9, 5), (2, 25), (3, 55)]
    change.set_probability(ip(EXTERNAL), 80, Local(ip(OTHER), 8080, 1), TCP)
    assert shares(it) == [(9, 5), (2, 6), (3, 36)]
    with pytest.raises(NoSuchEntry):
        change.set_probability(ip(EXTERNAL), 80, Local(ip(HOST), 8080, 1), TCP)


def test_what_is_no_service(it: Router) -> None:
    of(it.nat.mappings.add)
    with pytest.raises(InvalidValue):
        it.nat.mappings.delete_lb(ip(EXTERNAL), 80, TCP, 0)
    for change in (it.nat.mappings.add_local, it.nat.mappings.delete_local):
        with pytest.raises(InvalidValue):
            change(ip(EXTERNAL), 80, Local(ip(HOST), 8080), TCP)
        with pytest.raises(NoSuchEntry):
            change(ip(EXTERNAL), 81, Local(ip(HOST), 8080), TCP)
    with pytest.raises(ValueExists):
        lb(it, flags=SM_OUT2IN_ONLY)


def test_a_service_neither_is_an_identity_mapping_nor_goes_as_one(it: Router) -> None:
    lb(it, flags=SM_OUT2IN_ONLY)
    with pytest.raises(NoSuchEntry):
        identity(it.nat.mappings.delete, EXTERNAL, 80)
    of(it.nat.mappings.delete)  # as a plain one: VPP says yes, and it stays
    (m,) = it.nat.mappings
    assert len(m.locals) == 2


def test_backends_hold_their_tables_and_have_keys(it: Router) -> None:
    it.nat.addresses.add(ip(EXTERNAL), None)
    lb(it, 1, 1, vrf=7)
    assert it.holders(7) == [NAT]
    assert keys(it) == (0, 0) and keys(it, vrf=7) == (0, None)  # in FIB 0, as VPP enters those of a new mapping
    it.nat.mappings.add_local(ip(EXTERNAL), 80, Local(ip(HOST), 81, 1, 8), TCP)
    assert keys(it, local_port=81, vrf=8) == (0, 0) and n_keys(it) == 4
    it.nat.mappings.delete_local(ip(EXTERNAL), 80, Local(ip(HOST), 81, 0, 8), TCP)
    assert 8 not in it.engine.tables and n_keys(it) == 3
    it.nat.disable()
    assert 7 not in it.engine.tables and n_keys(it) == 0


def test_a_service_does_not_take_the_key_of_another_mapping_along(it: Router) -> None:
    it.nat.addresses.add(ip(EXTERNAL), None)
    lb(it)
    lb(it, external=EXTERNAL, port=81)  # the same backends: the keys are its own now
    it.nat.mappings.delete_lb(ip(EXTERNAL), 80, TCP, 0)
    assert keys(it, 81) == (1, 1)


def test_sessions_of_a_backend_end_with_it(it: Router) -> None:
    outward(it)
    backends = [Local(ip(HOST) + k, 9000, 1) for k in range(3)]
    it.nat.mappings.add_lb(ip("10.0.2.77"), 53, UDP, backends, 0)
    for port in range(2000, 2020):
        it.talk(2, "10.0.2.1", "10.0.2.77", port, 53)
    hosts = [s.in_address for s in it.nat.sessions]
    assert len(hosts) == 20 and set(hosts) == {b.address for b in backends}
    it.nat.mappings.delete_local(ip("10.0.2.77"), 53, backends[0], UDP)
    left = [s.in_address for s in it.nat.sessions]
    assert left == [h for h in hosts if h != backends[0].address]
    it.nat.mappings.delete_lb(ip("10.0.2.77"), 53, UDP, 0)
    assert len(it.nat.sessions) == 0
