"""IPv4 reassembly against its oracle: order, overlaps, limits, time; and that vectors of 1 and of many agree."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench, Out
from tests.naive.frag import fragment
from tests.naive.ip4_packet import Ip4, udp
from tests.naive.reassembly import Reassembler
from vectorplane.dataplane.abi import NEVER
from vectorplane.graph_nodes.ip4_reassembly import (
    IP4_FULL_REASSEMBLY,
    IP4_FULL_REASSEMBLY_FEATURE,
    IP4_LOCAL_FULL_REASSEMBLY,
)
from vectorplane.graph_nodes.ip4_reassembly_control import Reassembly
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits

MS = 1_000_000


@st.composite
def pieces(draw: st.DrawFn) -> list[tuple[int, bytes]]:
    """Fragments of a few datagrams, honest and otherwise, in any order, with their times."""
    packets: list[bytes] = []
    dice = random.Random(draw(st.integers(0, 1 << 32)))
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.one_of(st.integers(9, 130), st.integers(2500, 7000)))
        base = Ip4(id=number, payload=dice.randbytes(size), ttl=60 + number)
        part = max(8, -(-size // draw(st.integers(1, 4))))
        packets += fragment(bytes(base), 20 + part + draw(st.integers(0, 9)), number)
        for _ in range(draw(st.integers(0, 3))):
            at, more = draw(st.integers(0, 16)), draw(st.booleans())
            odd = Ip4(id=number, payload=dice.randbytes(draw(st.integers(1, 64))), offset=8 * at, more=more)
            packets.append(bytes(odd))
    packets += draw(st.lists(st.one_of(st.sampled_from(packets), st.binary(max_size=40)), max_size=3))
    dice.shuffle(packets)
    gaps = draw(st.lists(st.sampled_from([0, 0, 1, 50, 150, 201]), min_size=len(packets), max_size=len(packets)))
    return [
        (sum(gaps[: i + 1]) * MS, p + (b"pad" if len(p) > 20 and i % 3 == 0 else b"")) for i, p in enumerate(packets)
    ]


def outcome(outs: list[Out]) -> list[tuple[int, str, str | None, bytes]]:
    """What left the node, by arrival number."""
    return sorted((o.index, o.next, o.error if o.next == "ip4-drop" else None, o.data) for o in outs)


def run(given_: list[tuple[int, bytes]], limits: Limits, together: bool) -> tuple[Any, dict[str, int], int]:
    """Outcome, counters, contexts left."""
    bench = Bench(IP4_LOCAL_FULL_REASSEMBLY, setup=lambda b: b.plane.shared(Reassembly).set(limits))
    try:
        outs = bench.run([p for _, p in given_], times=[t for t, _ in given_], together=together)
        reassembly = bench.plane.shared(Reassembly)
        left = reassembly.count
        counters = bench.errors()
        held = counters.get("ip4-local-full-reassembly: fragments held for reassembly", 0)
        assert bench.plane.error_counts("consumed") == (
            {"ip4-local-full-reassembly: fragments held for reassembly": held} if held else {}
        )
        gone = sum(bench.plane.error_counts("drops").values())
        assert len(outs) + held + gone == len(given_)
        reassembly.expire(1 << 60)
        assert reassembly.count == 0 and bench.leaked() == 0
        return outcome(outs), counters, left
    finally:
        bench.close()


@examples(60)
@given(pieces(), st.sampled_from([Limits(), Limits(max_reassembly_length=8), Limits(max_reassemblies=1), Limits(50)]))
def test_agrees_with_oracle(packets: list[tuple[int, bytes]], limits: Limits) -> None:
    oracle = Reassembler(limits.timeout_ms * MS, limits.max_reassemblies, limits.max_reassembly_length)
    wanted, drops, held = [], {}, 0
    for i, (time, p) in enumerate(packets):
        what, result = oracle.give(p, time)
        if what == "pass":
            assert isinstance(result, bytes)
            wanted.append((i, "ip4-input", None, result))
        elif what == "hold":
            held += 1
        elif result == "fragment chain too long (drop)":
            drops[result] = drops.get(result, 0) + 1
        else:
            wanted.append((i, "ip4-drop", result, p))
    got, counters, left = run(packets, limits, together=True)
    assert got == wanted
    assert left == len(oracle.contexts)
    drops |= {
        "fragments received": oracle.received,
        "successful reassemblies": oracle.whole,
        "fragments reassembled": oracle.joined,
        "fragments held for reassembly": held,
        "fragments dropped due to reassembly timeout": oracle.expired,
    }
    assert counters == {f"ip4-local-full-reassembly: {k}": v for k, v in drops.items() if v}
    assert run(packets, limits, together=False) == (got, counters, left)


@pytest.mark.parametrize("size", [100, 2040, 2060, 9000, 65000])
def test_what_is_joined_fills_its_buffers(size: int) -> None:
    packet = bytes(udp(7, 9, bytes(i * 7 & 0xFF for i in range(size)), Ip4(id=3)))
    fragments = fragment(packet, 1400, 3)
    bench = Bench(
        IP4_FULL_REASSEMBLY, setup=lambda b: b.plane.shared(Reassembly).set(Limits(max_reassembly_length=100))
    )
    try:
        (out,) = bench.run(fragments[::-1], times=list(range(len(fragments))))
        assert out.data == packet and out.next == "ip4-input"
        assert out.meta["current_length"] == min(len(packet), 2048)
        assert out.meta["current_length"] + out.meta["total_rest"] == len(packet)
        assert out.meta["time"] == len(fragments) - 1
        assert bench.leaked() == 0
    finally:
        bench.close()


def test_the_feature_goes_on_to_the_next_feature() -> None:
    bench = Bench(IP4_FULL_REASSEMBLY_FEATURE)
    try:
        arc = bench.plane.arcs["ip4-unicast"]
        arc.enable(1, "ip4-full-reassembly-feature")
        start = int(arc._words[1])

        def meta(i: int, m: Any) -> None:
            m["config_index"] = start + 1

        packet = bytes(udp(7, 9, bytes(1000), Ip4(id=3)))
        whole = bytes(udp(1, 2, b"x", Ip4()))
        outs = bench.run([*fragment(packet, 600, 3), whole], meta=meta)
        assert [(o.next, o.data) for o in outs] == [("ip4-lookup", packet), ("ip4-lookup", whole)]
    finally:
        bench.close()


def test_local_reassembly_can_be_switched_off() -> None:
    bench = Bench(IP4_LOCAL_FULL_REASSEMBLY, setup=lambda b: b.plane.shared(Reassembly).enable_local(False))
    try:
        outs = bench.run(fragment(bytes(Ip4(payload=bytes(1000))), 600, 3))
        assert [o.next for o in outs] == ["ip4-drop"] * 2
    finally:
        bench.close()


def test_tables_are_apart() -> None:
    bench = Bench(IP4_FULL_REASSEMBLY)
    try:
        bench.plane.interfaces.records[2]["ip4_table"] = 5
        a, b = fragment(bytes(Ip4(payload=bytes(1000))), 600, 3)
        assert bench.run([a, b], rx=[1, 2]) == []
        assert bench.plane.shared(Reassembly).count == 2
        assert [o.index for o in bench.run([b], rx=1)] == [0]
        assert [o.index for o in bench.run([a], rx=2)] == [0]
    finally:
        bench.close()


def test_the_control_side_knows_when_to_expire() -> None:
    bench = Bench(IP4_FULL_REASSEMBLY)
    try:
        reassembly = bench.plane.shared(Reassembly)
        assert reassembly.next_expiry() == NEVER
        first = fragment(bytes(Ip4(payload=bytes(1000), id=1)), 600, 1)[0]
        second = fragment(bytes(Ip4(payload=bytes(1000), id=2)), 600, 2)[0]
        bench.run([first, second], times=[5 * MS, 9 * MS])
        events = bench.worker.events.drain()
        assert [(int(e["kind"]), int(e["time"])) for e in events] == [(2, 5 * MS)]
        assert reassembly.next_expiry() == 205 * MS + 1
        assert reassembly.expire(205 * MS) == 0
        assert reassembly.expire(205 * MS + 1) == 1
        assert reassembly.next_expiry() == 209 * MS + 1
        assert reassembly.expire(300 * MS) == 1
        bench.run([first], times=[400 * MS])
        assert len(bench.worker.events.drain()) == 1
        assert bench.errors()["ip4-full-reassembly: fragments dropped due to reassembly timeout"] == 2
        with pytest.raises(ValueError, match="max_reassemblies"):
            reassembly.set(Limits(max_reassemblies=1 << 20))
    finally:
        bench.close()


def test_many_datagrams_at_once() -> None:
    bench = Bench(IP4_FULL_REASSEMBLY, buffers=4096)
    try:
        packets = [bytes(Ip4(id=i, payload=i.to_bytes(2, "big") * 20)) for i in range(1030)]
        firsts, lasts = zip(*(fragment(p, 44, i) for i, p in enumerate(packets)), strict=True)
        dropped = bench.run(firsts)
        assert [o.error for o in dropped] == ["drops due to concurrent reassemblies limit"] * 6
        outs = bench.run(lasts[:1024])
        assert [o.data for o in outs] == packets[:1024]
        assert bench.plane.shared(Reassembly).count == 0 and bench.leaked() == 0
    finally:
        bench.close()
