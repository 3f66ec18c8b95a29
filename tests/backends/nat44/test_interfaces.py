"""What interfaces are to NAT44: features, order, what they are asked to be and not to be, FIBs, tables, removal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.nat44.router import Router, ip, router
from vectorplane.backends.engine.nat44.errors import NoSuchEntry, Unsupported, ValueExists
from vectorplane.backends.engine.nat44.interfaces import INSIDE, OUTSIDE
from vectorplane.graph_nodes.nat44.nat import ROLE_OUTPUT, ROLE_OUTSIDE
from vectorplane.graph_nodes.nat44.tables import NatTables, swap32

SHALLOW, SHALLOW_OUT = "ip4-sv-reassembly-feature", "ip4-sv-reassembly-output-feature"
IN, OUT, BOTH, ON_OUTPUT = "nat-pre-in2out", "nat-pre-out2in", "nat44-ed-classify", "nat-pre-in2out-output"
NAMES = {
    1: (IN, OUT, BOTH, ON_OUTPUT),
    2: (
        "nat44-in2out-worker-handoff",
        "nat44-out2in-worker-handoff",
        "nat44-handoff-classify",
        "nat44-in2out-output-worker-handoff",
    ),
}


@pytest.fixture
def it() -> Iterator[Router]:
    with router() as made:
        yield made


def memory(it: Router) -> NatTables:
    return it.engine.plane.shared(NatTables)


def outside_fibs(it: Router) -> list[int]:
    shared = memory(it)
    return [int(f) for f in shared._outside_fibs[: int(shared.settings["n_outside_fibs"])]]


def own_addresses(it: Router, sw_if: int) -> list[str]:
    """Those of 10.0.1.0/24 to 10.0.3.0/24 that nodes take for the interface's."""
    candidates = [f"10.0.{net}.{last}" for net in (1, 2, 3) for last in (1, 253, 254)]
    return [a for a in candidates if memory(it)._own.get((sw_if << 32 | swap32(ip(a)),)) is not None]


def test_nothing_while_nat_is_off(it: Router) -> None:
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.add(2, False)
    it.nat.interfaces.add_output(3)
    it.nat.disable()
    assert it.nat.interfaces.roles == {} and it.nat.interfaces.outputs == []
    assert [it.chain(i) for i in (1, 2, 3)] == [[], [], []] and it.chain(3, "ip4-output") == []
    for change in (it.nat.interfaces.add, it.nat.interfaces.delete):
        with pytest.raises(Unsupported):
            change(1, True)
    for change in (it.nat.interfaces.add_output, it.nat.interfaces.delete_output):
        with pytest.raises(Unsupported):
            change(1)
    it.engine.interfaces.remove(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_features(workers: int) -> None:
    inside, outside, both, on_output = NAMES[workers]
    with router(workers=workers) as it:
        roles = it.nat.interfaces
        roles.add(1, True)
        assert roles.roles == {1: INSIDE} and it.chain(1) == [SHALLOW, inside]
        roles.add(1, True)
        assert it.chain(1) == [SHALLOW, inside]
        roles.add(1, False)
        assert roles.roles == {1: INSIDE | OUTSIDE} and it.chain(1) == [SHALLOW, both]
        roles.delete(1, True)
        assert roles.roles == {1: OUTSIDE} and it.chain(1) == [SHALLOW, outside]
        roles.add(1, True)
        roles.delete(1, False)
        assert roles.roles == {1: INSIDE} and it.chain(1) == [SHALLOW, inside]
        roles.delete(1, False)  # as in VPP, whichever it is goes
        assert roles.roles == {} and it.chain(1) == []
        roles.add_output(2)
        assert it.chain(2) == [SHALLOW, outside] and it.chain(2, "ip4-output") == [SHALLOW_OUT, on_output]
        assert roles.outputs == [2] and roles.roles == {}
        roles.delete_output(2)
        assert it.chain(2) == [] and it.chain(2, "ip4-output") == [] and roles.outputs == []


def test_reassembly_that_another_wants_stays(it: Router) -> None:
    it.engine.sv_reassembly.enable(1)
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.delete(1, True)
    assert it.chain(1) == [SHALLOW]


def test_refused(it: Router) -> None:
    roles = it.nat.interfaces
    roles.add(1, True)
    roles.add_output(2)
    with pytest.raises(ValueExists):
        roles.add_output(1)
    with pytest.raises(ValueExists):
        roles.add_output(2)
    with pytest.raises(ValueExists):
        roles.add(2, False)
    with pytest.raises(NoSuchEntry):
        roles.delete(2, False)
    with pytest.raises(NoSuchEntry):
        roles.delete(3, True)
    with pytest.raises(NoSuchEntry):
        roles.delete_output(1)
    with pytest.raises(KeyError):
        roles.add(9, True)
    with pytest.raises(KeyError):
        roles.add_output(9)


def test_vpps_order(it: Router) -> None:
    """Who comes takes the place that became free last."""
    more = it.interface("pg9")
    roles = it.nat.interfaces
    for sw_if in (3, 1, 2):
        roles.add(sw_if, sw_if == 1)
    roles.delete(3, False)
    roles.add(more, False)
    assert list(roles.roles) == [more, 1, 2] and roles.outside() == [more, 2]
    roles.add_output(3)
    assert roles.outside() == [more, 2, 3]
    for sw_if in (1, 2, more):
        roles.delete(sw_if, False)
        roles.add_output(sw_if)
    roles.delete_output(1)
    roles.delete_output(3)
    roles.add_output(1)
    assert roles.outputs == [1, 2, more]


def test_what_nodes_are_told(it: Router) -> None:
    roles = it.nat.interfaces
    roles.add(1, True)
    roles.add(2, False)
    roles.add_output(3)
    assert [int(r) for r in memory(it).roles[:4]] == [0, 0, ROLE_OUTSIDE, ROLE_OUTPUT]
    assert outside_fibs(it) == [0]
    assert [own_addresses(it, i) for i in (1, 2, 3)] == [[f"10.0.{i}.254"] for i in (1, 2, 3)]
    it.engine.addresses.add(2, "10.0.2.253/24")
    assert own_addresses(it, 2) == ["10.0.2.253", "10.0.2.254"]
    it.engine.addresses.remove(2, "10.0.2.254/24")
    assert own_addresses(it, 2) == ["10.0.2.253"]
    roles.delete(2, False)
    roles.delete_output(3)
    assert outside_fibs(it) == [] and not any(memory(it).roles)
    assert [own_addresses(it, i) for i in (1, 2, 3)] == [["10.0.1.254"], [], []]


def test_own_addresses_may_be_borrowed(it: Router) -> None:
    new = it.interface("pg9")
    it.nat.interfaces.add(new, True)
    assert own_addresses(it, new) == []
    it.engine.addresses.set_unnumbered(new, 1)
    assert own_addresses(it, new) == ["10.0.1.254"]
    it.engine.addresses.add(1, "10.0.1.1/24")
    assert own_addresses(it, new) == ["10.0.1.1", "10.0.1.254"]
    it.engine.addresses.set_unnumbered(new, None)
    assert own_addresses(it, new) == []
    it.engine.addresses.set_unnumbered(new, 1)
    it.engine.interfaces.remove(1)
    assert own_addresses(it, new) == []


def other_tables(it: Router, *tables: int) -> list[int]:
    """New outside interfaces in tables of their own; the FIBs."""
    for table in tables:
        it.engine.tables.create(table)
        new = it.interface(f"t{table}")
        it.engine.addresses.set_table(new, table)
        it.nat.interfaces.add(new, False)
    return [it.engine.routes.control.fib_index(t) for t in tables]


def test_fibs_of_outside_interfaces_in_vpps_order(it: Router) -> None:
    fibs = other_tables(it, 7, 8, 9)
    assert outside_fibs(it) == fibs
    by_name = {i.name: i.sw_if_index for i in it.engine.interfaces.by_index.values()}
    it.nat.interfaces.delete(by_name["t7"], False)
    assert outside_fibs(it) == [fibs[2], fibs[1]]  # the last one takes its place


def test_an_outside_interface_moves_to_another_table(it: Router) -> None:
    fibs = other_tables(it, 7, 8)
    by_name = {i.name: i.sw_if_index for i in it.engine.interfaces.by_index.values()}
    it.nat.addresses.add(ip("192.0.2.1"), None)
    it.engine.addresses.set_table(by_name["t7"], 8)
    assert outside_fibs(it) == [fibs[1]]
    assert it.received("192.0.2.1", 7) == by_name["t7"]  # VPP leaves the route where it was
    it.nat.interfaces.delete(by_name["t7"], False)
    assert outside_fibs(it) == [fibs[1]] and it.received("192.0.2.1", 7) is None
    assert it.received("192.0.2.1", 8) == by_name["t8"]
    it.engine.addresses.set_table(by_name["t8"], 0)
    assert outside_fibs(it) == [0]
    it.nat.interfaces.add(1, True)
    it.engine.addresses.remove_all(1)
    it.engine.addresses.set_table(1, 8)
    assert outside_fibs(it) == [0]


# --- sessions


def with_session(it: Router) -> None:
    it.nat.interfaces.add(1, True)
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(ip("10.0.2.77"), None)
    assert it.talk(1, "10.0.1.1", "10.0.2.1") == [("10.0.2.77", 2)]
    assert len(it.nat.sessions) == 1


def test_sessions_end_with_the_last_interface_of_their_fib(it: Router) -> None:
    with_session(it)
    it.nat.interfaces.delete(1, True)
    assert len(it.nat.sessions) == 1
    it.nat.interfaces.delete(2, False)
    assert len(it.nat.sessions) == 0


def vrf_session(it: Router) -> None:
    """The inside interface is in table 7."""
    it.engine.tables.create(7)
    new = it.interface("t7")
    it.engine.addresses.set_table(new, 7)
    it.engine.addresses.add(new, "10.0.4.254/24")
    it.nat.interfaces.add(new, True)
    it.nat.interfaces.add(2, False)
    it.nat.addresses.add(ip("10.0.2.77"), None)
    assert it.talk(new, "10.0.4.1", "10.0.2.1") == [("10.0.2.77", 2)]
    assert [s.in_fib for s in it.nat.sessions] == [it.engine.routes.control.fib_index(7)]


def test_sessions_end_when_the_api_gives_their_table_up(it: Router) -> None:
    vrf_session(it)
    it.engine.tables.delete(7)
    assert len(it.nat.sessions) == 0 and 7 in it.engine.tables  # the interface is still in it


def test_an_interface_that_goes(it: Router) -> None:
    vrf_session(it)
    it.nat.interfaces.add_output(3)
    it.engine.interfaces.remove(4)
    it.engine.interfaces.remove(3)
    assert it.nat.interfaces.roles == {2: OUTSIDE} and it.nat.interfaces.outputs == []
    assert len(it.nat.sessions) == 0 and it.received("10.0.2.77") == 2
    assert outside_fibs(it) == [0] and own_addresses(it, 3) == []
    it.engine.tables.delete(7)
    assert 7 not in it.engine.tables
    assert it.interface("pg9") == 3 and it.chain(3) == []
    it.nat.interfaces.add(3, True)
    assert it.chain(3) == [SHALLOW, IN]
