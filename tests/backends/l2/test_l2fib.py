"""The MAC table from the control side: provisioned entries, flushes, ageing, events, and how it grows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.backends.l2.bridged import MINUTE, Bridged
from vectorplane.backends.engine.l2.l2fib import Entry
from vectorplane.graph_nodes.l2.fib import FIRST_CAPACITY, LEARN_EVENT, L2FibTable

HOST, OTHER, THIRD = (bytes.fromhex(f"02000000000{n}") for n in (1, 2, 3))
BROADCAST = b"\xff" * 6
ADDED, GONE, MOVED = 0, 1, 2
SECOND = 1_000_000_000


@pytest.fixture
def it() -> Iterator[Bridged]:
    """pg0 and pg1 (1, 2) in domain 7, pg2 (3) in domain 8."""
    made = Bridged(3)
    for bd_id in (7, 8):
        made.create(bd_id)
    for index, bd_id in ((1, 7), (2, 7), (3, 8)):
        made.attach(index, bd_id)
    yield made
    made.check_tables()
    made.close()


def frame(source: bytes, destination: bytes = BROADCAST) -> bytes:
    return destination + source + b"\x08\0" + bytes(46)


def known(it: Bridged, bd_id: int | None = None) -> dict[bytes, Entry]:
    return {e.mac: e for e in it.engine.l2fib.dump(bd_id)}


def test_provisioned_entries(it: Bridged) -> None:
    it.provision(7, HOST, 2, static=False)
    it.provision(7, OTHER, 2, static=True)
    it.provision(8, THIRD, -1, static=False)
    seven, eight = known(it, 7), known(it, 8)
    assert set(seven) == {HOST, OTHER} and set(eight) == {THIRD} and set(known(it)) == {HOST, OTHER, THIRD}
    assert [(e.static, e.age_not, e.bvi, e.filter) for e in (seven[HOST], seven[OTHER], eight[THIRD])] == [
        (False, True, False, False),
        (True, True, False, False),
        (True, True, False, True),
    ]
    assert (seven[HOST].bd_id, seven[HOST].sw_if_index, eight[THIRD].sw_if_index) == (7, 2, -1)
    assert (it.engine.l2fib.count, it.engine.l2fib.learn_count) == (3, 0)
    assert it.engine.l2fib.get(it.engine.bridges[7].index, HOST) == seven[HOST]
    assert it.engine.l2fib.get(it.engine.bridges[8].index, HOST) is None
    assert it.send(1, frame(THIRD, HOST)).sent == [(2, frame(THIRD, HOST))], "the filter is another domain's"
    assert it.send(3, frame(HOST, THIRD)).drops == {"Filter Mac Drop": 1}
    assert it.send(3, frame(THIRD)).drops == {"L2 filter mac drops": 1}
    assert it.send(1, frame(OTHER)).drops == {"L2 mac move violations": 1}
    it.send(1, frame(HOST))
    assert known(it)[HOST].sw_if_index == 1 and not known(it)[HOST].age_not, "one that is not static may move"


def test_removing_entries(it: Bridged) -> None:
    fib = it.engine.l2fib
    it.send(1, frame(HOST))
    it.provision(7, OTHER, 2, static=True)
    for bd_id, mac, index in ((7, THIRD, 0), (8, HOST, 0), (7, HOST, 2), (7, OTHER, 1), (9, HOST, 0)):
        with pytest.raises(KeyError):
            fib.remove(bd_id, mac, index)
    fib.remove(7, OTHER, 2)
    assert set(known(it)) == {HOST} and fib.learn_count == 1
    it.naive.forget(it.naive.domains[7], OTHER)
    it.forget(7, HOST)
    assert known(it) == {} and fib.learn_count == 0
    for bd_id in (0, 9):
        with pytest.raises(KeyError):
            fib.add(bd_id, HOST, 1)
        with pytest.raises(KeyError):
            list(fib.dump(bd_id))


def test_provisioning_what_was_learnt(it: Bridged) -> None:
    """The entry is no learnt one any more, and is counted as such."""
    it.send(1, frame(HOST))
    assert it.engine.l2fib.learn_count == 1
    it.provision(7, HOST, 2, static=True)
    assert it.engine.l2fib.learn_count == 0 and known(it)[HOST].sw_if_index == 2


def test_flushes(it: Bridged) -> None:
    """At once nobody finds what was learnt; the entries go with the next sweep, provisioned ones stay."""
    it.provision(7, THIRD, 1, static=False)
    for flush in (lambda: it.flush_interface(1), lambda: it.flush_domain(7)):
        it.send(1, frame(HOST))
        it.send(2, frame(OTHER))
        assert set(known(it)) == {HOST, OTHER, THIRD}
        flush()
        assert set(known(it)) == {HOST, OTHER, THIRD}
        assert len(it.send(2, frame(OTHER, HOST)).sent) == 1, "flooded, to the only other port"
        assert HOST not in known(it) and THIRD in known(it)
        it.send(1, frame(HOST))
        assert it.send(2, frame(OTHER, HOST)).sent == [(1, frame(OTHER, HOST))]
    it.send(3, frame(HOST))
    it.engine.l2fib.flush_all()
    for bd_id in (7, 8):
        it.naive.flush_domain(bd_id)
    it.run_until(it.engine.now + 1)
    assert set(known(it)) == {THIRD}


@pytest.mark.parametrize("what", ["interface", "domain"])
def test_sequence_numbers_wrap(it: Bridged, what: str) -> None:
    """256 flushes later the number is the same: the entry has been swept long before."""
    it.send(1, frame(HOST))
    for _ in range(256):
        it.flush_interface(1) if what == "interface" else it.flush_domain(7)
        it.run_until(it.engine.now + 1)
    assert known(it) == {}
    it.send(2, frame(OTHER))
    it.send(1, frame(HOST))
    assert len(it.send(2, frame(OTHER, HOST)).sent) == 1
    assert it.engine.bridges.sequence(1) == it.naive.seqs[1]


def test_clear(it: Bridged) -> None:
    """All entries go, whatever they are."""
    it.send(1, frame(HOST))
    it.provision(7, OTHER, 2, static=True)
    it.engine.l2fib.clear()
    it.naive.table.entries.clear()
    it.naive.table.learnt.clear()
    assert known(it) == {} and it.engine.l2fib.learn_count == it.engine.l2fib.count == 0
    it.send(1, frame(HOST))
    assert set(known(it)) == {HOST}


def test_ageing(it: Bridged) -> None:
    """What was not heard of for the domain's minutes goes at the turn of one; the other domain keeps all."""
    it.set_mac_age(7, 2)
    for index in (1, 2):
        it.send(index, frame((HOST, OTHER)[index - 1]))
    it.send(3, frame(THIRD))
    it.run_until(MINUTE + SECOND)
    it.send(2, frame(OTHER))
    assert known(it)[OTHER].minute == 1 and known(it)[HOST].minute == 0
    it.run_until(2 * MINUTE + SECOND)
    assert set(known(it)) == {OTHER, THIRD}
    it.run_until(4 * MINUTE + SECOND)
    assert set(known(it)) == {THIRD} and it.engine.l2fib.learn_count == 1
    it.set_mac_age(7, 0)
    it.send(1, frame(HOST))
    it.run_until(600 * MINUTE)
    assert set(known(it)) == {HOST, THIRD}
    assert it.engine.l2fib.now_minutes == 600 % 256


def test_a_minute_is_a_byte(it: Bridged) -> None:
    """Entries are as old as their minutes say, modulo 256."""
    it.run_until(255 * MINUTE)
    it.set_mac_age(7, 2)
    it.send(1, frame(HOST))
    assert known(it)[HOST].minute == 255
    it.run_until(256 * MINUTE + SECOND)
    assert HOST in known(it)
    it.run_until(257 * MINUTE + SECOND)
    assert HOST not in known(it)


def test_a_domain_takes_its_addresses_with_it(it: Bridged) -> None:
    """The next one, which gets its index, knows none of them, not even those that were provisioned."""
    it.provision(8, HOST, 3, static=True)
    it.send(3, frame(OTHER))
    it.detach(3)
    it.delete(8)
    assert known(it) == {}
    it.create(9)
    assert it.engine.bridges[9].index == 2
    it.attach(1, 9)
    it.attach(3, 9)
    assert known(it) == {}
    assert it.send(1, frame(THIRD, HOST)).sent == [(3, frame(THIRD, HOST))]


class Watcher:
    """What was told."""

    def __init__(self, it: Bridged, max_macs: int = 100) -> None:
        self.calls: list[list[tuple[bytes, int, int]]] = []
        it.engine.l2fib.watch(self.calls.append, 77, max_macs)

    def take(self) -> list[tuple[bytes, int, int]]:
        """All since the last call."""
        told = [change for call in self.calls for change in call]
        self.calls.clear()
        return told


def both_flush(it: Bridged) -> None:
    """Who begins to watch makes the table forget: so does the oracle."""
    for bd_id in it.naive.domains:
        it.naive.flush_domain(bd_id)


def test_events(it: Bridged) -> None:
    """Who watches is told, within the delay, of what comes, moves and goes; of nothing else."""
    fib = it.engine.l2fib
    it.send(1, frame(THIRD))
    watcher = Watcher(it)
    both_flush(it)
    it.naive.table.watched = True
    assert fib.watcher_pid == 77
    it.run_until(it.engine.now + 1)
    assert watcher.take() == [(THIRD, 1, GONE)], "all is learnt anew, so that all of it is told"
    it.engine.pg.add("frames", 1, [frame(HOST)])
    it.engine.pg.enable("frames")
    it.engine.run_until(it.engine.now + 1000)
    assert watcher.take() == [] and known(it)[HOST].flags & LEARN_EVENT
    it.engine.run_until(it.engine.now + SECOND // 5)
    assert watcher.take() == [(HOST, 1, ADDED)] and not known(it)[HOST].flags & LEARN_EVENT
    it.engine.run_until(it.engine.now + SECOND)
    assert watcher.take() == []
    it.engine.pg.add("frames", 2, [frame(HOST)])
    it.engine.pg.enable("frames")
    it.engine.run_until(it.engine.now + SECOND)
    assert watcher.take() == [(HOST, 2, MOVED)]
    fib.flush_interface(2)
    it.engine.run_until(it.engine.now + SECOND)
    assert watcher.take() == [(HOST, 2, GONE)]
    fib.unwatch()
    assert fib.watcher_pid == 0
    it.engine.pg.enable("frames")
    it.engine.run_until(it.engine.now + SECOND)
    assert watcher.take() == [] and not known(it)[HOST].flags & LEARN_EVENT
    it.engine.pg.delete("frames")
    fib.clear()
    it.naive.table.entries.clear()
    it.naive.table.learnt.clear()
    it.naive.domains[7].seq = it.engine.bridges[7].seq
    it.naive.seqs[2] = it.engine.bridges.sequence(2)
    it.engine.interfaces[1].device.flush()
    it.transmitted()


def test_events_come_in_portions_and_on_time(it: Bridged) -> None:
    """At most so many in a call; the delay can be set, which makes the table forget too."""
    watcher = Watcher(it, max_macs=10)
    it.engine.l2fib.set_scan_delay(2.0)
    assert it.engine.l2fib.scan_delay == 2.0
    it.engine.run_until(it.engine.now + SECOND)
    sources = [bytes([2, 0, 0, 1, 0, k]) for k in range(25)]
    it.engine.pg.add("frames", 1, [frame(s) for s in sources])
    it.engine.pg.enable("frames")
    it.engine.run_until(it.engine.now + SECOND)
    began = it.engine.now
    while not watcher.calls:
        it.engine.run_until(it.engine.now + SECOND // 10)
    assert it.engine.now - began <= 2 * SECOND
    assert [len(call) for call in watcher.calls] == [10, 10, 5]
    assert sorted(watcher.take()) == [(s, 1, ADDED) for s in sources]
    it.engine.l2fib.unwatch()
    it.engine.pg.delete("frames")
    it.engine.l2fib.clear()
    for bd_id in (7, 8):
        it.naive.domains[bd_id].seq = it.engine.bridges[bd_id].seq
    it.transmitted()


# --- growth


def many(n: int, first: int = 0) -> list[bytes]:
    """Addresses."""
    return [b"\x02\x01" + k.to_bytes(4, "big") for k in range(first, first + n)]


def learn(it: Bridged, sources: list[bytes]) -> None:
    """Frames from all of these, to nobody that is known."""
    it.engine.pg.add("frames", 1, [frame(s, THIRD) for s in sources])
    it.engine.pg.enable("frames")
    it.engine.run_until(it.engine.now + 1000)
    it.engine.pg.delete("frames")
    it.transmitted()


def forget_all(it: Bridged) -> None:
    """For the end of a test."""
    it.engine.l2fib.clear()


def test_it_grows_while_it_learns(it: Bridged) -> None:
    """Beyond its first capacity nothing is lost and nothing refused."""
    n = 2 * FIRST_CAPACITY
    sources = many(n)
    learn(it, sources)
    assert set(known(it)) == set(sources) and it.engine.l2fib.learn_count == n
    assert it.engine.plane.shared(L2FibTable).map.capacity == 4 * FIRST_CAPACITY
    assert "l2-learn: L2 not learned due to limit" not in it.engine.plane.error_counts()
    forget_all(it)


@pytest.mark.parametrize("provisioned", [FIRST_CAPACITY // 2, FIRST_CAPACITY * 3 // 4 - 1])
def test_it_grows_while_it_learns_beside_provisioned_entries(it: Bridged, provisioned: int) -> None:
    """Room is for all entries, whoever made them."""
    for mac in many(provisioned, 1 << 20):
        it.engine.l2fib.add(7, mac, 2, static=True)
    learn(it, many(FIRST_CAPACITY))
    assert it.engine.l2fib.count == provisioned + FIRST_CAPACITY == len(known(it))
    assert it.engine.l2fib.learn_count == FIRST_CAPACITY
    assert "l2-learn: L2 not learned due to limit" not in it.engine.plane.error_counts()
    forget_all(it)


def test_it_grows_while_it_is_provisioned(it: Bridged) -> None:
    learn(it, many(100))
    for mac in many(2 * FIRST_CAPACITY, 1 << 20):
        it.engine.l2fib.add(7, mac, 2)
    assert it.engine.l2fib.count == 2 * FIRST_CAPACITY + 100
    assert it.send_quietly(1, frame(HOST, many(1, (1 << 20) + 5)[0])) == 1
    forget_all(it)


def test_entries_that_come_and_go_take_no_room(it: Bridged) -> None:
    """Provisioning and removing over and over is no reason to grow."""
    for k in range(3 * FIRST_CAPACITY):
        it.engine.l2fib.add(7, HOST, 1 + k % 2)
        it.engine.l2fib.remove(7, HOST)
    assert it.engine.plane.shared(L2FibTable).map.capacity == FIRST_CAPACITY
    for _ in range(3):
        for mac in many(FIRST_CAPACITY // 2):
            it.engine.l2fib.add(7, mac, 2)
        it.engine.l2fib.clear()
    assert it.engine.plane.shared(L2FibTable).map.capacity == FIRST_CAPACITY


def test_there_can_be_only_so_many(it: Bridged, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is refused, and the table stays as it is."""
    from vectorplane.graph_nodes.l2 import fib

    monkeypatch.setattr(fib, "MOST_ENTRIES", FIRST_CAPACITY)
    table = it.engine.plane.shared(L2FibTable)
    with pytest.raises(OverflowError, match="MAC addresses"):
        table.grow(FIRST_CAPACITY)
    table.provisioned = FIRST_CAPACITY * 3 // 4 - 1
    it.provision(7, HOST, 1, static=False)
    with pytest.raises(OverflowError, match="MAC addresses"):
        it.engine.l2fib.add(7, OTHER, 1)
    it.send(1, frame(THIRD))  # learnt, as long as there is room
    table.provisioned = 1
    assert table.map.capacity == FIRST_CAPACITY
