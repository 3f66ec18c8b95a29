"""l2-fwd against its naive oracle; with l2-learn in front of it too, one vector being as good as many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.bench import THERE, L2Bench, l2_words, put
from tests.graph_nodes.l2.frames import HOSTS, received, received_length
from tests.graph_nodes.l2.table import fill, held
from tests.graph_nodes.l2.test_l2_learn import DOMAINS, MINUTE, tables
from tests.harness import Out
from tests.naive.l2.features import bits, following
from tests.naive.l2.header import to_bvi
from tests.naive.l2.mac_table import Entry, MacTable, Seen
from vectorplane.dataplane.abi import FAST, VIRTUAL
from vectorplane.graph_nodes.l2.l2_fwd import L2_FWD
from vectorplane.graph_nodes.l2.l2_learn import L2_LEARN

BVI_ERRORS = {"mac": "BVI L3 MAC mismatch", "ethertype": "BVI packet with unhandled ethertype"}
UNKNOWN = bits("FWD", "UU_FLOOD")


class Arrival(NamedTuple):
    """A frame as l2-input (or l2-learn) hands it on."""

    frame: bytes
    interface: int = 1
    bd_index: int = 1
    features: int = UNKNOWN
    domain_seq: int = 1
    minute: int = 0


class Result(NamedTuple):
    """Where a frame went."""

    next: str
    data: bytes
    tx: int
    error: str | None = None


@pytest.fixture(scope="module")
def bench() -> Iterator[L2Bench]:
    made = L2Bench(L2_FWD)
    yield made
    assert made.leaked() == 0
    made.close()


@pytest.fixture(scope="module")
def pair() -> Iterator[L2Bench]:
    """l2-learn, and l2-fwd behind it."""
    made = L2Bench(L2_LEARN, types=(L2_FWD,))
    yield made
    assert made.leaked() == 0
    made.close()


def mac_of(interface: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([interface])


def expected(table: MacTable, a: Arrival, seqs: dict[int, int]) -> Result:
    """The oracle's."""
    floods = bool(a.features & bits("UU_FLOOD", "UU_FWD"))
    found = table.forward(a.bd_index, a.frame[:6], a.interface, a.domain_seq, seqs, floods)
    if found.next == "features":
        return Result(following(a.features & ~bits("FWD"), THERE), a.frame, -1)
    if found.next == "bvi":
        given = to_bvi(a.frame, received_length(a.frame), mac_of(found.interface))
        if given.wrong is not None:
            return Result("error-drop", a.frame, -1, BVI_ERRORS[given.wrong])
        return Result(given.next or "", given.data, -1)
    if found.next == "output":
        return Result("l2-output", a.frame, found.interface)
    return Result("error-drop", a.frame, -1, found.error)


def found(out: Out) -> Result:
    """The kernel's."""
    return Result(out.next, out.data, out.tx_sw_if if out.next == "l2-output" else -1, out.error)


def put_seqs(bench: L2Bench, seqs: dict[int, int]) -> None:
    """The ports' sequence numbers."""
    for interface, seq in seqs.items():
        bench.config.inputs[interface]["seq"] = seq


def compare(bench: L2Bench, table: MacTable, seqs: dict[int, int], vector: Sequence[Arrival]) -> list[Result]:
    """Each frame goes where the oracle says."""
    fill(bench, table, DOMAINS)
    put_seqs(bench, seqs)
    rx_before = [bench.plane.if_stats["rx"].total(k).tolist() for k in range(4)]

    def meta(i: int, record: Any) -> None:
        a = vector[i]
        words = l2_words(received_length(a.frame), bd_index=a.bd_index, sn=(a.domain_seq, seqs[a.interface]))
        put(record, **words, adj=a.features)

    outs = bench.send([a.frame for a in vector], rx=[a.interface for a in vector], meta=meta)
    results = [expected(table, a, seqs) for a in vector]
    received_by: dict[int, list[bytes]] = {k: [] for k in range(4)}
    for out, a, result in zip(outs, vector, results, strict=True):
        assert found(out) == result, a.frame.hex()
        if result.next.endswith("-input"):
            bvi = table.entries[a.bd_index, a.frame[:6]].interface
            assert out.rx_sw_if == bvi and out.meta["l3_offset"] - out.meta["l2_offset"] == received_length(a.frame)
            received_by[bvi].append(result.data)
    for k, packets in received_by.items():
        counted = bench.plane.if_stats["rx"].total(k) - rx_before[k]
        assert counted.tolist() == [len(packets), sum(map(len, packets))]
    return results


seq_numbers = st.fixed_dictionaries({k: st.sampled_from([1, 1, 2, 255]) for k in range(1, 4)})
arrivals = st.builds(
    Arrival,
    frame=received,
    interface=st.integers(1, 3),
    bd_index=st.sampled_from([1, 1, 2]),
    features=st.sampled_from(
        [UNKNOWN, UNKNOWN, bits("FWD"), bits("FWD", "UU_FWD"), bits("FWD", "UU_FLOOD", "ARP_TERM")]
    ),
    domain_seq=st.sampled_from([1, 1, 2, 255]),
)


@examples(150)
@given(table=tables(), seqs=seq_numbers, vector=st.lists(arrivals, min_size=1, max_size=24))
def test_random(bench: L2Bench, table: MacTable, seqs: dict[int, int], vector: list[Arrival]) -> None:
    compare(bench, table, seqs, vector)


def frame(destination: bytes, source: bytes = HOSTS[4], kind: bytes = b"\x08\0") -> bytes:
    return destination + source + kind + bytes(46)


def test_every_kind_of_entry(bench: L2Bench) -> None:
    """Known, reflected, filtered, stale by its port or its domain, the router's own, and unknown."""
    bvi = mac_of(3)
    entries = {
        HOSTS[0]: Entry(2, sn=(1, 1)),
        HOSTS[1]: Entry(1, sn=(1, 1)),
        HOSTS[2]: Entry(-1, True, True, filter=True),
        HOSTS[3]: Entry(2, sn=(1, 9)),
        bvi: Entry(3, True, True, bvi=True),
        mac_of(2): Entry(3, True, True, bvi=True),
    }
    table = MacTable(entries={(1, mac): e for mac, e in entries.items()})
    known = [Arrival(frame(mac)) for mac in entries]
    known.append(Arrival(frame(bvi, kind=b"\x88\xcc")))
    known.append(Arrival(frame(HOSTS[0]), domain_seq=2))
    known.append(Arrival(frame(HOSTS[0]), bd_index=2))
    results = compare(bench, table, dict.fromkeys(range(1, 4), 1), known)
    assert [r.error or r.next for r in results] == [
        "l2-output",
        "Reflection Drop",
        "Filter Mac Drop",
        "l2-flood",
        "ip4-input",
        "BVI L3 MAC mismatch",
        "BVI packet with unhandled ethertype",
        "l2-flood",
        "l2-flood",
    ]
    alone = compare(bench, table, dict.fromkeys(range(1, 4), 1), [a._replace(features=bits("FWD")) for a in known])
    assert [r.error for r in (alone[3], alone[7], alone[8])] == ["Stale entry Drop"] * 2 + ["L2 forward misses"]


def test_neighbours_in_a_vector(bench: L2Bench) -> None:
    """What one frame found is not taken for the next one's: other ports, domains and sequence numbers, same address."""
    table = MacTable(entries={(1, HOSTS[0]): Entry(2, sn=(1, 1)), (2, HOSTS[0]): Entry(3, sn=(1, 1))})
    steps = [Arrival(frame(HOSTS[0]), 1 + k % 3, 1 + k // 3 % 2, domain_seq=1 + (k // 6 % 5 == 0)) for k in range(256)]
    results = compare(bench, table, dict.fromkeys(range(1, 4), 1), steps)
    assert {r.error or (r.next, r.tx) for r in results} == {
        ("l2-output", 2),
        ("l2-output", 3),
        ("l2-flood", -1),
        "Reflection Drop",
    }


def one_after_the_other(
    pair: L2Bench, table: MacTable, seqs: dict[int, int], vector: Sequence[Arrival]
) -> dict[int, Result]:
    """All frames in one vector, in virtual time: each finds what those before it have taught, and nothing later."""
    pair.worker.record["clock"] = VIRTUAL
    pair.worker.record["rounds"] += 1
    table.limit_updates = False
    fill(pair, table, DOMAINS)
    put_seqs(pair, seqs)

    def meta(i: int, record: Any) -> None:
        a = vector[i]
        words = l2_words(received_length(a.frame), 0, True, a.bd_index, (a.domain_seq, seqs[a.interface]))
        put(record, **words, adj=a.features | bits("LEARN"))

    times = [a.minute * MINUTE for a in vector]
    outs = pair.send([a.frame for a in vector], rx=[a.interface for a in vector], times=times, meta=meta)
    results = {}
    for i, (out, a) in enumerate(zip(outs, vector, strict=True)):
        sn = (a.domain_seq, seqs[a.interface])
        error = table.learn(Seen(a.bd_index, a.frame[6:12], a.interface, sn, True, a.minute))
        wanted = Result("error-drop", a.frame, -1, error) if error else expected(table, a, seqs)
        assert found(out) == wanted, (i, a.frame.hex())
        results[i] = wanted
    assert held(pair) == table.entries
    return results


@st.composite
def conversations(draw: st.DrawFn) -> list[Arrival]:
    """Few hosts that move about and talk to each other; time goes on, or stands still."""
    made = []
    minute = 0
    for _ in range(draw(st.integers(1, 40))):
        minute += draw(st.sampled_from([0, 0, 0, 1, 3]))
        pair = [draw(st.sampled_from(HOSTS[:4])) for _ in range(2)]
        made.append(Arrival(frame(*pair), draw(st.integers(1, 3)), draw(st.sampled_from([1, 1, 2])), minute=minute))
    return made


@examples(150)
@given(table=tables(), seqs=seq_numbers, vector=conversations())
def test_what_came_later_is_not_known_yet(
    pair: L2Bench, table: MacTable, seqs: dict[int, int], vector: list[Arrival]
) -> None:
    one_after_the_other(pair, table, seqs, vector)


def test_a_station_moves_within_a_vector(pair: L2Bench) -> None:
    """Frames to it leave by where it was when they came: unknown, then here, then there."""
    seqs = dict.fromkeys(range(1, 4), 1)
    ask, move = frame(HOSTS[0], HOSTS[1]), frame(HOSTS[4], HOSTS[0])
    steps = [
        Arrival(ask),
        Arrival(move, 2),
        Arrival(ask),
        Arrival(move, 3),
        Arrival(ask),
        Arrival(move, 1),
        Arrival(ask),
    ]
    results = one_after_the_other(pair, MacTable(), seqs, steps)
    asked = [results[k] for k in (0, 2, 4, 6)]
    assert [(r.next, r.tx, r.error) for r in asked] == [
        ("l2-flood", -1, None),
        ("l2-output", 2, None),
        ("l2-output", 3, None),
        ("error-drop", -1, "Reflection Drop"),
    ]


def test_old_news_is_no_news(pair: L2Bench) -> None:
    """A round's changes say nothing about the next round's frames, nor about other clocks'."""
    seqs = dict.fromkeys(range(1, 4), 1)
    table = MacTable()
    one_after_the_other(pair, table, seqs, [Arrival(frame(HOSTS[4], HOSTS[0]), 2)])
    assert one_after_the_other(pair, table, seqs, [Arrival(frame(HOSTS[0], HOSTS[1]))])[0].tx == 2
    pair.worker.record["clock"] = FAST

    def meta(i: int, record: Any) -> None:
        put(record, **l2_words(14, bd_index=1, sn=(1, 1)), adj=UNKNOWN | bits("LEARN"))

    fill(pair, MacTable(), DOMAINS)
    outs = pair.send([frame(HOSTS[0], HOSTS[1]), frame(HOSTS[1], HOSTS[0])], rx=[1, 2], meta=meta)
    # as in VPP a vector is learnt from before it is forwarded
    assert [(o.next, o.tx_sw_if) for o in outs] == [("l2-output", 2), ("l2-output", 1)]
