"""NAT44 switched on and off, its settings and limits, and routes between VRFs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.nat44.router import Router, ip, router
from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.nat44.errors import (
    AlreadyDisabled,
    AlreadyEnabled,
    InvalidValue,
    NoSuchEntry,
    ValueExists,
)
from vectorplane.backends.engine.nat44.nat44 import DEFAULT_QUEUE_SIZE, DEFAULT_SESSIONS, Timeouts, buckets_for
from vectorplane.graph_nodes.nat44.counters import NatCounters
from vectorplane.graph_nodes.nat44.tables import NatTables

SECOND = 1_000_000_000


@pytest.fixture
def it() -> Iterator[Router]:
    with router() as made:
        yield made


def limits(it: Router) -> list[int]:
    """As nodes see them."""
    shared = it.engine.plane.shared(NatTables)
    return [int(n) for n in shared._limits[: int(shared.settings["n_limits"])]]


def most(it: Router) -> int:
    """Of the statistics: ``/nat44-ed/max-cfg-sessions``."""
    stats, index = it.engine.plane.stats, it.engine.plane.shared(NatCounters).most
    return int(stats._entries["value"][index])


# the power of two that is nearest to 0.4 of them
@pytest.mark.parametrize(
    ("sessions", "buckets"),
    [(1, 2), (2, 2), (3, 1), (7, 2), (9, 2), (10, 4), (1024, 512), (1 << 15, 1 << 14), (64512, 1 << 15)],
)
def test_buckets(sessions: int, buckets: int) -> None:
    assert buckets_for(sessions) == buckets


def test_on_and_off(it: Router) -> None:
    nat = it.nat
    with pytest.raises(AlreadyEnabled):
        nat.enable()
    assert (nat.sessions_limit, nat.inside_vrf, nat.outside_vrf) == (DEFAULT_SESSIONS, 0, 0)
    nat.disable()
    with pytest.raises(AlreadyDisabled):
        nat.disable()
    nat.enable(5, 6, 100)
    settings = it.engine.plane.shared(NatTables).settings
    fibs = [it.engine.routes.control.fib_index(vrf) for vrf in (5, 6)]
    assert [int(settings["inside_fib"]), int(settings["outside_fib"])] == fibs
    assert (nat.sessions_limit, nat.limits, limits(it)) == (100, [100], [100])
    assert [it.holders(vrf) for vrf in (5, 6)] == [[NAT], [NAT]]
    nat.disable()
    assert (nat.sessions_limit, nat.inside_vrf, nat.outside_vrf, nat.limits) == (0, 0, 0, [])
    assert nat.translation_buckets == buckets_for(100)  # VPP, too, goes on telling them
    assert 5 not in it.engine.tables and 6 not in it.engine.tables


def test_settings_begin_anew_each_time_it_is_on(it: Router) -> None:
    nat, settings = it.nat, it.engine.plane.shared(NatTables).settings
    nat.set_forwarding(True)
    nat.set_mss_clamping(1400)
    nat.set_timeouts(Timeouts(1, 2, 3, 4))
    assert (int(settings["forwarding"]), int(settings["mss"])) == (1, 1400)
    nat.disable()
    assert (nat.forwarding, nat.mss_clamping, nat.timeouts) == (False, 1400, (1, 2, 3, 4))
    nat.set_forwarding(True)
    nat.enable()
    assert (nat.forwarding, nat.mss_clamping, nat.timeouts) == (False, 0, Timeouts())
    assert (int(settings["forwarding"]), int(settings["mss"])) == (0, 0)
    for wrong in (-1, 1 << 16):
        with pytest.raises(ValueError):
            nat.set_mss_clamping(wrong)
    for wrong in (-1, 1 << 32):
        with pytest.raises(ValueError):
            nat.set_timeouts(Timeouts(icmp=wrong))
    assert nat.timeouts == Timeouts() and nat.mss_clamping == 0


def test_limits_by_table(it: Router) -> None:
    nat = it.nat
    nat.set_session_limit(10, 0)
    assert limits(it) == nat.limits == [10] and most(it) == DEFAULT_SESSIONS
    with pytest.raises(KeyError):
        nat.set_session_limit(10, 7)
    for table in (7, 8):
        it.engine.tables.create(table)
    fibs = [it.engine.routes.control.fib_index(t) for t in (7, 8)]
    assert fibs == [1, 2]
    nat.set_session_limit(20, 8)
    assert limits(it) == nat.limits == [10, DEFAULT_SESSIONS, 20]
    assert (nat.sessions_limit, most(it)) == (DEFAULT_SESSIONS, DEFAULT_SESSIONS)


def test_updating_a_limit_ends_all_sessions(it: Router) -> None:
    nat = it.nat
    nat.interfaces.add(1, True)
    nat.interfaces.add(2, False)
    nat.addresses.add(ip("10.0.2.77"), None)
    it.talk(1, "10.0.1.1", "10.0.2.1")
    nat.set_session_limit(5, 0)
    assert len(nat.sessions) == 1
    nat.update_session_limit(500, 0)
    assert len(nat.sessions) == 0 and nat.limits == limits(it) == [500]
    assert (nat.translation_buckets, most(it), nat.sessions_limit) == (buckets_for(500), 500, DEFAULT_SESSIONS)
    it.engine.tables.create(7)
    nat.set_session_limit(7, 7)
    it.engine.tables.create(8)
    nat.set_session_limit(8, 8)
    assert nat.limits == [500, 7, 8]
    with pytest.raises(KeyError):
        nat.update_session_limit(1, 9)


def test_a_limit_holds(it: Router) -> None:
    nat = it.nat
    nat.interfaces.add(1, True)
    nat.interfaces.add(2, False)
    nat.addresses.add(ip("10.0.2.77"), None)
    nat.set_session_limit(2, 0)
    sent = [bool(it.talk(1, "10.0.1.1", "10.0.2.1", 1000 + k)) for k in range(3)]
    assert sent == [True, True, False] and len(nat.sessions) == 2


def test_limits_from_before_it_was_on(it: Router) -> None:
    """As in VPP the one of table 0 stays in force."""
    it.nat.disable()
    it.nat.set_session_limit(10, 0)
    it.nat.enable(sessions=100)
    assert it.nat.limits == limits(it) == [10, 100] and most(it) == 100


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_told_of_rings(workers: int) -> None:
    with router(workers=workers) as it:
        nat = it.nat
        assert nat.queue_size == DEFAULT_QUEUE_SIZE
        with pytest.raises(AlreadyEnabled):
            nat.set_queue_size(64)
        nat.disable()
        for wrong in (0, 3, 65):
            with pytest.raises(InvalidValue):
                nat.set_queue_size(wrong)
        assert nat.set_queue_size(64) == (workers == 1)  # with several the rings are there by now
        nat.enable()
        assert nat.queue_size == (64 if workers == 1 else DEFAULT_QUEUE_SIZE)


# --- VRF tables


def routes(it: Router) -> list[tuple[int, list[int]]]:
    """As nodes see them, by table id."""
    shared = it.engine.plane.shared(NatTables)
    rows = shared._vrf_tables[: int(shared.settings["n_vrf_tables"])].tolist()
    vrf = it.nat.vrf_of
    return [(vrf(fib), [vrf(int(f)) for f in shared._vrf_routes[first : first + n]]) for fib, first, n, _ in rows]


@pytest.mark.parametrize("on", [False, True])
def test_vrf_tables(it: Router, on: bool) -> None:
    if not on:
        it.nat.disable()
    tables = it.nat.vrf_tables
    for vrf in (1, 2, 3):
        tables.add_table(vrf)
    for route in ((1, 2), (1, 3), (1, 9), (2, 9)):
        tables.add_route(*route)
    assert list(tables.tables.items()) == routes(it) == [(1, [2, 3, 9]), (2, [9]), (3, [])]
    with pytest.raises(ValueExists):
        tables.add_table(2)
    with pytest.raises(ValueExists):
        tables.add_route(1, 3)
    for refused in (lambda: tables.add_route(7, 1), lambda: tables.delete_route(7, 1), lambda: tables.delete_table(7)):
        with pytest.raises(NoSuchEntry):
            refused()
    with pytest.raises(NoSuchEntry):
        tables.delete_route(2, 1)
    tables.delete_route(1, 2)
    tables.add_route(1, 8)
    assert tables.tables[1] == [8, 3, 9]  # who comes takes the place that became free last
    tables.delete_table(1)
    assert 8 not in it.engine.tables and [it.holders(v) for v in (3, 9)] == [[NAT], [NAT]]
    tables.add_table(5)
    assert list(tables.tables) == [5, 2, 3] and routes(it) == [(5, []), (2, [9]), (3, [])]
    for vrf in (5, 2, 3):
        tables.delete_table(vrf)
    assert routes(it) == [] and it.engine.tables.ids() == [0]


def test_no_room_for_vrf_routes(it: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = it.engine.plane.shared(NatTables)
    monkeypatch.setattr(shared, "_vrf_routes", shared._vrf_routes[:2])
    tables = it.nat.vrf_tables
    tables.add_table(1)
    tables.add_route(1, 2)
    tables.add_route(1, 3)
    with pytest.raises(OverflowError):
        tables.add_route(1, 4)
    assert routes(it) == [(1, [2, 3])] and 4 not in it.engine.tables
    it.nat.disable()
    assert routes(it) == [] and tables.tables == {}
