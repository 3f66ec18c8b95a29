"""l2-learn against its naive oracle: the table, the limits, moves, minutes and sequence numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import THERE, L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import HOSTS, ODD, received, received_length
from tests.graph_nodes.l2.table import counts, fill, held
from tests.naive.l2.features import bits, following
from tests.naive.l2.mac_table import Entry, MacTable, Seen
from vectorplane.dataplane.abi import FAST, VIRTUAL
from vectorplane.graph_nodes.event_kinds import L2_FIB_GROWS
from vectorplane.graph_nodes.l2.fib import L2FibTable
from vectorplane.graph_nodes.l2.l2_learn import L2_LEARN

MINUTE = 60_000_000_000
DOMAINS = range(1, 3)
LEFT = bits("FWD", "FLOOD")


class Arrival(NamedTuple):
    """A frame, the port where it came in, its time in minutes, and whether the domain ages."""

    frame: bytes
    interface: int = 1
    minute: int = 0
    bd_index: int = 1
    sn: tuple[int, int] = (1, 1)
    ages: bool = True
    left: int = LEFT


@pytest.fixture(scope="module")
def bench() -> Iterator[L2Bench]:
    made = L2Bench(L2_LEARN)
    yield made
    assert made.leaked() == 0
    made.close()


def compare(bench: L2Bench, table: MacTable, vectors: Sequence[Sequence[Arrival]], clock: int = FAST) -> MacTable:
    """After these vectors the table is the oracle's; every frame goes on, or is dropped for the oracle's reason."""
    bench.worker.record["clock"] = clock
    table.limit_updates = clock != VIRTUAL
    fill(bench, table, DOMAINS)
    for vector in vectors:
        before = bench.errors()

        def meta(i: int, record: Any, vector: Sequence[Arrival] = vector) -> None:
            a = vector[i]
            put(record, **l2_words(received_length(a.frame), 0, a.ages, a.bd_index, a.sn), adj=a.left | bits("LEARN"))

        outs = bench.send(
            [a.frame for a in vector],
            rx=[a.interface for a in vector],
            times=[a.minute * MINUTE + i for i, a in enumerate(vector)],
            meta=meta,
        )
        table.told.clear()
        table.updates = 0
        for out, a in zip(outs, vector, strict=True):
            seen = Seen(a.bd_index, a.frame[6:12], a.interface, a.sn, a.ages, a.minute % 256)
            error = table.learn(seen)
            expected = "error-drop" if error else following(a.left, THERE)
            assert (out.next, out.error, out.data, out.meta["adj"]) == (expected, error, a.frame, a.left)
        told = {k.partition(": ")[2]: v - before.get(k, 0) for k, v in bench.errors().items()}
        assert {k: v for k, v in told.items() if v} == {"L2 learn packets": len(vector), **table.told}
    assert held(bench) == table.entries
    assert counts(bench, DOMAINS) == [sum(table.learnt.values()), *(table.learnt[d] for d in DOMAINS)]
    return table


minutes = st.sampled_from([0, 1, 2, 9, 255, 256, 257])
sequences = st.tuples(st.sampled_from([1, 1, 1, 2, 255]), st.sampled_from([1, 1, 1, 2, 255]))
arrivals = st.builds(
    Arrival,
    frame=received,
    interface=st.integers(1, 3),
    minute=minutes,
    bd_index=st.sampled_from([1, 1, 2]),
    sn=sequences,
    ages=st.booleans(),
    left=st.sampled_from([LEFT, bits("FLOOD"), 0]),
)


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """Learnt, provisioned, static, BVI's or a filter."""
    kind = draw(st.sampled_from(["learnt", "learnt", "learnt", "provisioned", "static", "bvi", "filter"]))
    if kind == "learnt":
        return Entry(
            draw(st.integers(1, 3)),
            event=draw(st.booleans()),
            moved=draw(st.booleans()),
            minute=draw(minutes) % 256,
            sn=draw(sequences),
        )
    interface = -1 if kind == "filter" else draw(st.integers(1, 3))
    return Entry(interface, kind != "provisioned", True, kind == "bvi", kind == "filter")


@st.composite
def tables(draw: st.DrawFn) -> MacTable:
    """Some entries, and limits that may be reached already."""
    keys = st.tuples(st.sampled_from(DOMAINS), st.sampled_from(HOSTS + ODD))
    made = MacTable(entries=draw(st.dictionaries(keys, entries(), max_size=8)), watched=draw(st.booleans()))
    for (bd_index, _), e in made.entries.items():
        made.learnt[bd_index] += not e.age_not
    made.limit = draw(st.sampled_from([4 << 20, 4 << 20, 0, 3, 5]))
    made.domain_limits = {1: draw(st.sampled_from([4 << 20, 4 << 20, 0, 2, 4]))}
    return made


@examples(150)
@given(
    table=tables(),
    vectors=st.lists(st.lists(arrivals, min_size=1, max_size=16), min_size=1, max_size=3),
    clock=st.sampled_from([FAST, VIRTUAL]),
)
def test_random(bench: L2Bench, table: MacTable, vectors: list[list[Arrival]], clock: int) -> None:
    compare(bench, table, vectors, clock)


def frame(source: bytes, destination: bytes = HOSTS[4]) -> bytes:
    return destination + source + b"\x08\0" + bytes(46)


def test_a_minute_does_not_cost_a_burst(bench: L2Bench) -> None:
    """As in VPP at most three entries a vector are brought up to date for the minute alone; all of them when late."""
    table = MacTable(entries={(1, host): Entry(1, minute=7, sn=(1, 1)) for host in HOSTS})
    table.learnt[1] = len(HOSTS)
    late = [Arrival(frame(host), minute=8) for host in HOSTS]
    compare(bench, table, [late])
    assert [table.entries[1, host].minute for host in HOSTS] == [8, 8, 8, 7, 7]
    compare(bench, table, [late])
    assert [table.entries[1, host].minute for host in HOSTS] == [8] * 5
    later = [Arrival(frame(host), minute=10) for host in HOSTS]
    compare(bench, table, [later])
    assert [table.entries[1, host].minute for host in HOSTS] == [10] * 5


def test_in_virtual_time_no_vector_is_too_long(bench: L2Bench) -> None:
    """There the minute of an entry must not depend on how frames fall into vectors: ageing would."""
    table = MacTable(entries={(1, host): Entry(1, minute=7, sn=(1, 1)) for host in HOSTS})
    table.learnt[1] = len(HOSTS)
    compare(bench, table, [[Arrival(frame(host), minute=8) for host in HOSTS]], VIRTUAL)
    assert [table.entries[1, host].minute for host in HOSTS] == [8] * 5


def test_the_same_source_again_and_again(bench: L2Bench) -> None:
    """A station that moves with every frame of a vector: each move is seen, also right behind the other."""
    steps = [Arrival(frame(HOSTS[0]), interface=1 + k % 3) for k in range(256)]
    table = compare(bench, MacTable(), [steps])
    assert table.told["L2 mac moves"] == 255 and table.entries[1, HOSTS[0]].interface == 1


def test_the_domain_is_part_of_the_key(bench: L2Bench) -> None:
    both = [Arrival(frame(HOSTS[0]), interface=k, bd_index=k) for k in (1, 2)]
    table = compare(bench, MacTable(), [both])
    assert {d: table.entries[d, HOSTS[0]].interface for d in (1, 2)} == {1: 1, 2: 2}


def test_a_bigger_map_is_asked_for_once() -> None:
    """While there is still room, with one event however many frames come until it is heard."""
    bench = L2Bench(L2_LEARN)
    fib = bench.plane.shared(L2FibTable)
    fib.state["grow_at"] = 3
    ring = bench.worker.events

    def meta(i: int, record: Any) -> None:
        put(record, **l2_words(14, bd_index=1), adj=LEFT | bits("LEARN"))

    bench.config.domains[1]["learn_limit"] = 100
    sources = [bytes([2, 0, 0, 0, 1, k]) for k in range(8)]
    bench.send([frame(s) for s in sources[:2]], meta=meta)
    assert len(ring.drain()) == 0
    bench.send([frame(s) for s in sources[2:]], meta=meta)
    assert [int(e["kind"]) for e in ring.drain()] == [L2_FIB_GROWS]
    assert len(held(bench)) == 8
    bench.close()
