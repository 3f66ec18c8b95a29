"""One behaviour of the scheduler a test, over the backend in memory."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from tests.control.scheduler.fake_backend import FakeBackend
from tests.control.scheduler.universe import address, route
from vectorplane.backends.base import BackendError, Disconnected, Operation
from vectorplane.backends.items import (
    Acl,
    AclBinding,
    Interface,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Item,
    Path,
    SubInterface,
    Table,
    Unnumbered,
)
from vectorplane.control.scheduler import Busy, Change, Origin, Scheduler
from vectorplane.control.transactions.history import MAX_EVENTS, MAX_RECORDS, Record
from vectorplane.control.transactions.retry import FIRST_DELAY, MAX_ATTEMPTS, MAX_DELAY

A, B = Interface("a", "null"), Interface("b", "null")
VIA_A = route("10.8.0.0/16", Path("10.0.0.2", "a"))


class World:
    """A scheduler, its backend, and the time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.backend = FakeBackend()
        self.scheduler = Scheduler(self.backend, clock=lambda: self.now)

    def commit(
        self, *puts: Item, source: str = "yaml", drop: Sequence[str] = (), whole: bool = False, atomic: bool = False
    ) -> Record:
        change = Change(source, whole, atomic)
        change.put_all(puts)
        for key in drop:
            change.drop(key)
        record = self.scheduler.commit(change)
        assert self.backend.violations == []
        return record

    def state(self, key: str) -> str:
        return self.scheduler.state(key).state

    def log(self) -> list[str]:
        """What was done since the last call."""
        lines = [f"{verb} {key}" for verb, key in self.backend.log]
        self.backend.log = []
        return lines


@pytest.fixture
def world() -> World:
    return World()


def test_order_and_batches(world: World) -> None:
    routes = [route(f"10.{i}.0.0/16", Path("10.0.0.2", "a"), table=3) for i in range(50)]
    items = [*routes, InterfaceUp("a"), address("a", "10.0.0.1/24"), InterfaceTable("a", 3), InterfaceMtu("a", 1500)]
    world.commit(*items, A, Table(3))
    assert world.log() == [
        "create table/ip4/3",
        "create interface/a",
        "create interface/a/mtu",
        "create interface/a/table",
        "create interface/a/address/10.0.0.1/24",
        *(f"create {r.key}" for r in routes),
        "create interface/a/up",
    ]
    assert world.backend.sizes == [1, 1, 1, 1, 1, 50, 1]  # contiguous operations of a kind go together
    assert world.commit(whole=True).outcome == "applied"
    assert [line.replace("delete", "create") for line in reversed(world.log())][:2] == [
        "create table/ip4/3",
        "create interface/a",
    ]
    assert world.backend.items == {}


def test_a_sub_interface_starts_with_what_its_parent_has(world: World) -> None:
    world.commit(SubInterface("a", 5, outer=5), InterfaceUp("a.5"), InterfaceMtu("a", 1400), A, InterfaceUp("a"))
    assert world.log() == [
        "create interface/a",
        "create interface/a/mtu",
        "create interface/a.5",
        "create interface/a/up",
        "create interface/a.5/up",
    ]
    world.commit(drop=["interface/a/up"])
    assert world.log() == ["delete interface/a.5/up", "delete interface/a/up"]
    assert world.scheduler.state("interface/a.5/up").reason == "there is no interface a to be up"


def test_pending_until_it_can_be(world: World) -> None:
    record = world.commit(VIA_A)
    assert record.outcome == "applied" and [p.key for p in record.pending] == [VIA_A.key]
    assert world.scheduler.state(VIA_A.key)[1:3] == ("pending", "there is no interface a")
    record = world.commit(A, source="program")
    assert world.log() == ["create interface/a", f"create {VIA_A.key}"] and record.pending == []
    record = world.commit(drop=["interface/a"], source="program")
    assert world.log() == [f"delete {VIA_A.key}", "delete interface/a"]
    assert [p.reason for p in record.pending] == ["there is no interface a"]


def test_the_reason_names_what_waits_itself(world: World) -> None:
    world.commit(A, InterfaceTable("a", 3), address("a", "10.0.0.1/24"))
    assert world.scheduler.state("interface/a/address/10.0.0.1/24").reason == "interface a in its table is pending"
    assert "interface/a/address/10.0.0.1/24" not in world.backend.items  # never in a wrong table


def test_update_recreate_and_what_needs_them(world: World) -> None:
    world.commit(A, VIA_A, InterfaceUp("a"))
    world.log()
    assert world.commit(route("10.8.0.0/16", Path("10.0.0.3", "a"))).done == {"update route": 1}
    world.log()
    change = Change("yaml")
    change.put(Interface("a", "pg"))
    plan = world.scheduler.plan(change)
    assert [(o.verb, o.key) for o in plan.operations] == [
        ("recreate", "interface/a"),
        ("recreate", VIA_A.key),
        ("recreate", "interface/a/up"),
    ]
    assert "recreate interface a pg  # it cannot be changed in place" in plan.text()
    assert plan.json()["operations"][1]["reason"] == "interface/a goes"
    assert world.log() == []
    world.scheduler.commit(change)
    assert world.log() == [
        "delete interface/a/up",
        f"delete {VIA_A.key}",
        "delete interface/a",
        "create interface/a",
        f"create {VIA_A.key}",
        "create interface/a/up",
    ]


def test_addresses_step_aside_for_another_table(world: World) -> None:
    world.commit(Table(1), Table(2), A, B, InterfaceTable("a", 1), address("a", "10.0.0.1/24"), Unnumbered("b", "a"))
    assert world.state("interface/b/unnumbered") == "applied"
    world.log()
    world.commit(InterfaceTable("a", 2))
    lines = world.log()
    assert lines.index("delete interface/a/address/10.0.0.1/24") < lines.index("update interface/a/table")
    assert lines.index("update interface/a/table") < lines.index("create interface/a/address/10.0.0.1/24")
    assert lines[0] == "delete interface/b/unnumbered" and lines[-1] == "create interface/b/unnumbered"


def test_two_sources(world: World) -> None:
    world.commit(A, InterfaceMtu("a", 1500))
    record = world.commit(InterfaceMtu("a", 9000), A, source="program")
    assert [str(c) for c in record.conflicts] == ["interface/a/mtu: program wants it otherwise, but yaml asked first"]
    assert world.backend.items["interface/a/mtu"] == InterfaceMtu("a", 1500)
    assert "also wanted by program: interface a mtu 9000" in world.scheduler.explain("interface/a/mtu").text()
    world.commit(whole=True)
    assert world.backend.items == {"interface/a": A, "interface/a/mtu": InterfaceMtu("a", 9000)}
    assert world.log()[-1] == "update interface/a/mtu"  # the interface was not touched


def test_best_effort_retries_with_back_off(world: World) -> None:
    world.backend.arm({1: False})
    record = world.commit(A, VIA_A, InterfaceUp("a"))
    assert record.outcome == "incomplete" and world.state(VIA_A.key) == "retrying"
    assert world.state("interface/a/up") == "applied"
    assert world.scheduler.next_retry() == world.now + FIRST_DELAY
    assert world.scheduler.run_retries() is None
    delays = []
    while (due := world.scheduler.next_retry()) is not None:
        delays.append(due - world.now)
        world.now = due
        world.backend.arm({0: False})
        retried = world.scheduler.run_retries()
        assert retried is not None and retried.outcome == "incomplete" and retried.source == "retry"
    assert delays == [FIRST_DELAY * 2**i for i in range(MAX_ATTEMPTS - 1)]
    assert world.scheduler.state(VIA_A.key)[1:3] == ("failed", "create failed: refused")
    assert f"attempt {MAX_ATTEMPTS}, no retry by itself" in world.scheduler.explain(VIA_A.key).text()
    world.backend.calm()
    assert world.scheduler.resync().outcome == "applied" and world.state(VIA_A.key) == "applied"


def test_what_will_pass_is_retried_for_ever(world: World) -> None:
    world.backend.arm({0: True})
    world.commit(A, atomic=True)  # not undone: it will be there later
    for _ in range(20):
        due = world.scheduler.next_retry()
        assert due is not None and due - world.now <= MAX_DELAY
        world.now = due
        world.backend.arm({0: True})
        world.scheduler.run_retries()
    world.backend.calm()
    world.now += MAX_DELAY
    world.scheduler.run_retries()
    assert world.state("interface/a") == "applied" and world.scheduler.next_retry() is None


def test_what_needs_a_failure_waits_for_it(world: World) -> None:
    world.backend.arm({0: True})
    record = world.commit(A, VIA_A)
    assert [p.reason for p in record.pending] == ["interface a is retrying"]
    world.backend.calm()
    world.now += FIRST_DELAY
    world.scheduler.run_retries()
    assert world.state(VIA_A.key) == "applied"


def test_a_failed_delete_is_tried_again(world: World) -> None:
    world.commit(A, VIA_A)
    world.backend.arm({0: True})
    record = world.commit(whole=True)
    assert record.outcome == "incomplete" and set(world.backend.items) == {"interface/a", VIA_A.key}
    assert world.scheduler.state("interface/a").reason == f"delete failed: {VIA_A.key}, which needs it, is still there"
    world.backend.calm()
    world.now += FIRST_DELAY
    world.scheduler.run_retries()
    assert world.backend.items == {} and world.scheduler.next_retry() is None


def test_atomic_reverts_in_reverse_order(world: World) -> None:
    world.commit(A, VIA_A, InterfaceMtu("a", 1500))
    before = dict(world.backend.items)
    world.log()
    world.backend.arm({3: False})
    record = world.commit(InterfaceMtu("a", 1400), B, Table(9), drop=[VIA_A.key], atomic=True)
    assert record.outcome == "reverted" and record.reason == "update interface/a/mtu: refused"
    assert world.backend.items == before
    assert world.log() == [
        f"delete {VIA_A.key}",
        "create table/ip4/9",
        "create interface/b",
        "delete interface/b",
        "delete table/ip4/9",
        f"create {VIA_A.key}",
    ]
    assert world.state("interface/b") == "unknown" and world.state(VIA_A.key) == "applied"
    assert world.scheduler.state("interface/a/mtu").item == InterfaceMtu("a", 1500)


def test_an_old_failure_does_not_revert_others(world: World) -> None:
    world.backend.arm({1: False})
    world.commit(A, VIA_A)
    world.backend.arm({2: False})
    record = world.commit(Interface("a", "pg"), atomic=True)
    assert record.outcome == "incomplete" and world.backend.items == {"interface/a": Interface("a", "pg")}


def test_a_failed_undo_is_made_up_for(world: World) -> None:
    world.commit(A)
    world.backend.arm({2: False, 3: False})
    record = world.commit(B, Table(3), InterfaceMtu("a", 1500), atomic=True)
    assert record.outcome == "reverted" and record.reason.endswith("not everything could be undone")
    world.backend.calm()
    world.now += FIRST_DELAY
    world.scheduler.run_retries()
    assert world.backend.items == {"interface/a": A}


def test_obtained_items(world: World) -> None:
    world.backend.others(A)
    world.backend.others(InterfaceUp("a"))
    world.commit(VIA_A)
    assert world.state(VIA_A.key) == "pending"
    assert {d.key for d in world.scheduler.refresh()} == {"interface/a", "interface/a/up"}
    assert world.state("interface/a") == "obtained" and world.scheduler.next_retry() == world.now
    world.scheduler.run_retries()
    assert world.state(VIA_A.key) == "applied" and world.log() == [f"create {VIA_A.key}"]
    record = world.commit(A)  # wanted as it is: ours without an operation
    assert record.adopted == 1 and world.log() == [] and world.state("interface/a") == "applied"
    world.commit(whole=True)
    assert world.backend.items == {}  # what others made of our interface went with it


def test_events_bring_what_waits(world: World) -> None:
    record = world.commit(VIA_A, Table(3), InterfaceUp("b"), B)
    assert len(record.pending) == 1 and world.scheduler.next_retry() is None
    world.log()
    world.backend.others(A)
    world.scheduler.noticed()
    assert world.scheduler.next_retry() == world.now
    done = world.scheduler.run_retries()
    assert done is not None and world.log() == [f"create {VIA_A.key}"]
    assert world.scheduler.next_retry() is None and world.scheduler.run_retries() is None
    for key in ("interface/a", "interface/b", "interface/b/up"):  # others take away theirs, and ours
        world.backend.items.pop(key)
    world.scheduler.noticed()
    assert world.scheduler.run_retries() is None and world.log() == []
    assert world.scheduler.state(VIA_A.key)[1:3] == ("pending", "there is no interface a")
    assert world.scheduler.state("interface/b/up")[1:3] == ("pending", "interface b is missing")
    assert world.state("table/ip4/3") == "applied"
    world.backend.away = True
    world.scheduler.noticed()
    assert world.scheduler.run_retries() is None and world.scheduler.next_retry() is None
    world.backend.come_back(empty=True)
    assert world.state("interface/b/up") == "applied"


def test_what_others_changed_is_found(world: World) -> None:
    world.commit(A, InterfaceMtu("a", 1500), InterfaceUp("a"))
    world.log()
    del world.backend.items["interface/a/up"]
    world.backend.items["interface/a/mtu"] = InterfaceMtu("a", 1400)
    world.backend.others(Table(5))
    assert sorted(map(str, world.scheduler.verify())) == [
        "  table 5 ip4",
        "! interface a mtu 1500 (found: interface a mtu 1400)",
        "- interface a up",
    ]
    assert {d.key: d.ours for d in world.scheduler.diff()} == {"interface/a/mtu": True, "interface/a/up": True}
    assert world.state("interface/a/mtu") == "applied"  # only looked at
    world.scheduler.refresh()
    assert (world.state("interface/a/mtu"), world.state("interface/a/up")) == ("different", "missing")
    assert world.log() == [] and len(world.scheduler.plan().steps) == 2
    assert world.scheduler.resync().done == {"update mtu": 1, "create up": 1}
    assert world.backend.items["table/ip4/5"] == Table(5)
    assert world.scheduler.verify() == world.scheduler.diff() == []


def test_what_a_backend_cannot_hold_makes_no_difference(world: World) -> None:
    world.commit(Table(3, name="red"))
    assert world.backend.items == {"table/ip4/3": Table(3)} and world.scheduler.verify() == []
    assert world.scheduler.resync().done == {} and world.state("table/ip4/3") == "applied"


def test_restart_of_the_backend(world: World) -> None:
    routes = [route(f"10.{i >> 4}.{i & 15}.0/24", Path("10.0.0.2", "a")) for i in range(1000)]
    world.commit(A, *routes)
    before = dict(world.backend.items)
    world.backend.arm({}, vanish=0)
    assert world.commit(InterfaceUp("a")).outcome == "away"
    assert world.state("interface/a") == "unknown" and world.scheduler.next_retry() is None
    assert world.commit(drop=[routes[0].key]).outcome == "away"
    world.backend.sizes = []
    world.backend.come_back(empty=True)
    record = list(world.scheduler.history)[-1]
    assert (record.source, record.text) == ("resync", "the backend is back")
    assert record.done == {"create interface": 1, "create route": 999, "create up": 1}
    del before[routes[0].key]
    assert world.backend.items == {**before, "interface/a/up": InterfaceUp("a")}
    assert world.backend.sizes == [1, 999, 1]
    assert len({e.key for e in record.events}) == len(record.events)  # nothing twice


def test_back_in_the_middle_of_a_transaction(world: World) -> None:
    world.commit(A)
    apply = world.backend.apply

    def back(operations: Sequence[Operation]) -> list[BackendError | None]:
        world.backend.apply = apply  # type: ignore[method-assign]
        assert world.backend.on_reconnect is not None
        world.backend.on_reconnect()
        raise Disconnected("it was away for a moment")

    world.backend.apply = back  # type: ignore[method-assign]
    assert world.commit(InterfaceUp("a")).outcome == "away"
    assert [r.source for r in world.scheduler.history] == ["yaml", "yaml", "resync"]
    assert world.state("interface/a/up") == "applied"


def test_it_cannot_be_used_within_itself(world: World) -> None:
    def nested(operations: Sequence[Operation]) -> list[BackendError | None]:
        with pytest.raises(Busy):
            world.scheduler.resync()
        return [None] * len(operations)

    world.backend.apply = nested  # type: ignore[method-assign]
    assert world.commit(A).outcome == "applied"


def test_a_mistake_of_the_backend_ends_nothing(world: World, caplog: pytest.LogCaptureFixture) -> None:
    apply = world.backend.apply

    def broken(operations: Sequence[Operation]) -> list[BackendError | None]:
        apply(operations)
        raise ZeroDivisionError("oh")

    world.backend.apply = broken  # type: ignore[method-assign]
    record = world.commit(A)
    assert record.outcome == "incomplete" and "ZeroDivisionError: oh" in "\n".join(record.lines())
    assert "Traceback" in caplog.text
    world.backend.apply = apply  # type: ignore[method-assign]
    world.now += FIRST_DELAY
    again = world.scheduler.run_retries()
    assert again is not None and again.source == "resync" and again.done == {}  # it was there after all
    assert world.state("interface/a") == "applied"


def test_a_backend_that_cannot_be_read(world: World) -> None:
    dump = world.backend.dump

    def broken(kind: type[Item]) -> list[Item]:
        raise BackendError("no dump today")

    world.backend.dump = broken  # type: ignore[method-assign]
    record = world.scheduler.resync()
    assert (record.outcome, record.reason) == ("incomplete", "it could not be read: no dump today")
    with pytest.raises(BackendError):
        world.scheduler.verify()
    world.backend.dump = dump  # type: ignore[method-assign]
    world.now += FIRST_DELAY
    again = world.scheduler.run_retries()
    assert again is not None and again.outcome == "applied"


def test_stubborn_items_are_made_anew(world: World) -> None:
    world.commit(Table(3), A, InterfaceTable("a", 3), address("a", "10.0.0.1/24"))
    world.log()
    world.backend.stubborn = {"table/ip4/3"}
    record = world.commit(Table(3, flow_hash=("src",)))
    assert record.outcome == "applied" and record.failures == []
    assert world.backend.items["table/ip4/3"] == Table(3, flow_hash=("src",))
    assert "interface/a/address/10.0.0.1/24" in world.backend.items and "delete table/ip4/3" in world.log()


def test_explain(world: World) -> None:
    change = Change("router.yaml")
    change.put(VIA_A, Origin("router.yaml", 12, ("routes", 0)))
    world.scheduler.commit(change)
    explanation = world.scheduler.explain(VIA_A.key)
    assert explanation.text() == "\n".join(
        [
            "route/0/10.8.0.0/16: pending: there is no interface a",
            "  wanted by router.yaml:12: routes[0]: route 10.8.0.0/16 via 10.0.0.2 a",
            "  there now: nothing",
            "  needs interface a: unknown",
            "  #1 router.yaml: pending (there is no interface a) -> applied",
        ]
    )
    world.commit(A)
    made = world.scheduler.explain("interface/a").json()
    assert made["state"] == "applied" and made["needed_by"] == [{"key": VIA_A.key, "state": "applied"}]
    assert world.scheduler.explain("interface/a").dependent_count == 1
    unknown = world.scheduler.explain("interface/aa")
    assert "did you mean: interface/a" in unknown.text() and unknown.json()["state"] == "unknown"


def test_history_is_bounded(world: World) -> None:
    for i in range(MAX_RECORDS + 20):
        world.commit(InterfaceMtu("a", 1000 + i))
    assert len(world.scheduler.history) == MAX_RECORDS
    with pytest.raises(KeyError, match="no transaction 20"):
        world.scheduler.history[20]
    assert world.scheduler.history[21].number == 21
    record = world.commit(A, *(route(f"10.{i >> 8}.{i & 255}.0/24", Path("1.1.1.1", "a")) for i in range(1500)))
    assert len(record.events) == MAX_EVENTS and record.done["create route"] == record.planned["create route"] == 1500
    assert record.lines()[-1] == "  ... and 502 more" and record.json()["duration"] >= 0


def test_an_item_that_does_not_work_any_more_is_failed_until_it_does(world: World) -> None:
    """The host took its device away: nothing is done to it, what needs it stays, and it comes back by itself."""
    world.commit(A, InterfaceUp("a"))
    world.backend.faults[A.key] = "host interface eth0 is gone"
    seen = world.scheduler.state(A.key)
    assert (seen.state, seen.reason) == ("failed", "host interface eth0 is gone")
    assert "failed: host interface eth0 is gone" in world.scheduler.explain(A.key).text()
    assert world.state(InterfaceUp("a").key) == "applied"
    world.log()
    assert world.commit(A).outcome == "applied" and world.log() == []
    world.backend.faults.clear()
    assert world.state(A.key) == "applied"


def test_an_interface_is_never_without_its_lists(world: World) -> None:
    """Other lists come in place of the old ones, which go when nothing needs them any more."""
    world.commit(A, Acl("x", ()), AclBinding("a", ("x",), ()), whole=True)
    world.log()
    world.commit(A, Acl("y", ()), AclBinding("a", ("y",), ()), whole=True)
    assert world.log() == ["create acl/y", "update interface/a/acl", "delete acl/x"]
    world.commit(A, AclBinding("a", (), ("x",)), whole=True)
    assert world.log() == ["delete interface/a/acl", "delete acl/y"], "its lists are not there"
    world.commit(A, Acl("x", ()), AclBinding("a", ("x",), ("x",)), whole=True)
    world.log()
    world.commit(A, AclBinding("a", ("x",), ()), whole=True)
    assert world.log() == ["delete interface/a/acl", "delete acl/x"], "it would need what goes"
    world.commit(A, Acl("x", ()), AclBinding("a", ("x",), ()), whole=True)
    world.log()
    world.commit(whole=True)
    assert world.log() == ["delete interface/a/acl", "delete interface/a", "delete acl/x"]


def test_a_failure_outlives_a_change_that_is_reverted(world: World) -> None:
    """A route can't be deleted; a change that wants it again, all or nothing, is refused: it still has to go."""
    world.commit(A, VIA_A)
    world.backend.arm({0: False})
    world.commit(A, whole=True)
    assert world.state(VIA_A.key) == "retrying"
    world.backend.arm({0: False})
    assert world.commit(route("10.8.0.0/16", Path(action="blackhole")), atomic=True).outcome == "reverted"
    assert world.state(VIA_A.key) == "retrying"


def test_lists_at_random(world: World) -> None:
    """Bindings that can be there before and after a change are there all the time."""
    rng = random.Random(1)
    wanted: list[Item] = []
    for _ in range(300):
        before = {i.key for i in world.backend.items.values()}
        names = rng.sample("xyz", rng.randint(0, 3))
        bindings = [
            AclBinding(on, tuple(rng.sample("xyz", rng.randint(0, 2))), tuple(rng.sample("xyz", rng.randint(0, 1))))
            for on in "ab"
            if rng.random() < 0.8
        ]
        wanted = [A, B, *(Acl(name, ()) for name in names), *bindings]
        world.commit(*wanted, whole=True)
        possible = [b for b in bindings if set(b.inputs + b.outputs) <= set(names)]
        there = {i for i in world.backend.items.values() if isinstance(i, AclBinding)}
        assert there == {world.backend.canonical(b) for b in possible}
        log = world.log()
        assert not [b for b in possible if b.key in before and f"delete {b.key}" in log]
