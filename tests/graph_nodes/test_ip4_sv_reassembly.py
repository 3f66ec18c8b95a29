"""ip4-sv-reassembly-feature against its naive twin: any fragments in any order, limits, time, the balance."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench
from tests.naive import sv_reassembly as naive
from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.graph_nodes.ip4_sv_buffer import IS_FRAGMENT, NOT_FIRST, TRUNCATED
from vectorplane.graph_nodes.ip4_sv_contexts import SvLimits, SvReassembly
from vectorplane.graph_nodes.ip4_sv_reassembly import IP4_SV_REASSEMBLY_FEATURE

PORT = 1
MS = 1_000_000


class SvBench:
    """The node, and who looks at what it says of each packet."""

    def __init__(self) -> None:
        self.bench = Bench(IP4_SV_REASSEMBLY_FEATURE, buffers=4096)
        self.arc = self.bench.plane.arcs["ip4-unicast"]
        self.arc.enable(PORT, IP4_SV_REASSEMBLY_FEATURE.name)
        self.contexts = self.bench.plane.shared(SvReassembly)

    def begin(self, limits: SvLimits, extended: bool = False) -> naive.NaiveSv:
        """Without contexts."""
        self.contexts.set(SvLimits(timeout_ms=0))
        self.contexts.expire(1 << 60, len(IP4_SV_REASSEMBLY_FEATURE.errors) - 1)
        self.contexts.set(limits)
        self.contexts.set_extended(extended)
        return naive.NaiveSv(limits.timeout_ms * MS, limits.max_reassemblies, limits.max_reassembly_length, extended)

    def check(self, oracle: naive.NaiveSv, packets: list[tuple[bytes, int]], together: bool) -> None:
        """The node does with them what the oracle does."""
        before = Counter(self.bench.errors())
        found: Counter[str] = Counter()
        for number, (packet, now) in enumerate(packets):
            found[oracle.receive(number, packet, now)] += 1

        def meta(_: int, record: Any) -> None:
            record["config_index"] = int(self.arc._words[PORT]) + 1

        times = [t for _, t in packets]
        outs = self.bench.run([p for p, _ in packets], rx=PORT, meta=meta, times=times, together=together)
        left = [o for o in outs if o.next == self.arc.type.end]
        assert [o.index for o in left] == [number for number, *_ in oracle.told], "in that order"
        for out, (_, l4, is_fragment, not_first) in zip(left, oracle.told, strict=True):
            self._same(out.opaque, l4, is_fragment, not_first)
        after = Counter(self.bench.errors()) - before
        name = f"{IP4_SV_REASSEMBLY_FEATURE.name}: "
        assert sum(o.error == naive.MALFORMED for o in outs if o.next == "ip4-drop") == found[naive.MALFORMED]
        for text in (naive.TOO_LONG, naive.UNSUPPORTED):
            assert after[name + text] == found[text]
        assert after[name + "fragments held for reassembly"] == found[naive.HELD]
        oracle.told.clear()

    @staticmethod
    def _same(opaque: tuple[int, ...], l4: naive.L4, is_fragment: bool, not_first: bool) -> None:
        words = [w & (1 << 64) - 1 for w in opaque[:2]]
        source, destination = (
            int.from_bytes((words[0] >> shift & 0xFFFF).to_bytes(2, "little"), "big") for shift in (0, 16)
        )
        bits = words[0] >> 48 & 0xFF
        assert (source, destination) == l4.ports
        assert (words[0] >> 32 & 0xFF, words[0] >> 40 & 0xFF) == (l4.protocol, l4.flags)
        truncated = TRUNCATED if l4.truncated and not is_fragment else 0
        assert bits == (IS_FRAGMENT if is_fragment else 0) | (NOT_FIRST if not_first else 0) | truncated
        if l4.protocol == 6 and not l4.truncated:
            pair = (words[1] & 0xFFFFFFFF, words[1] >> 32)
            assert [int.from_bytes(w.to_bytes(4, "little"), "big") for w in pair] == [l4.seq, l4.ack]


@pytest.fixture(scope="module")
def sv() -> Iterator[SvBench]:
    made = SvBench()
    yield made
    made.begin(SvLimits())
    assert made.bench.leaked() == 0
    made.bench.close()


def header(kind: int) -> bytes:
    """An L4 header with something behind it."""
    tcp = struct.pack(">HHIIBBHHH", 1000, 80, 0x01020304, 0x05060708, 0x50, 0x18, 9, 0, 0)
    udp = struct.pack(">HHHH", 2000, 53, 16, 0)
    inner = bytes(Ip4(7, 8, 17, udp))
    return {
        6: tcp + bytes(12),
        17: udp + bytes(24),
        1: bytes([8, 0, 0, 0, 0x12, 0x34, 0, 1]) + bytes(24),
        101: bytes([3, 1, 0, 0, 0, 0, 0, 0]) + inner,
        102: bytes([13, 0, 0, 0, 0, 1, 0, 1]) + bytes(24),
        9: bytes(32),
    }[kind]


@st.composite
def packets(draw: st.DrawFn) -> bytes:
    """Fragments of few datagrams, whole packets, some cut, some with options."""
    kind = draw(st.sampled_from([6, 17, 1, 101, 102, 9]))
    payload = header(kind)
    packet = Ip4(0x0A000001, 0x0A000101 + draw(st.integers(0, 1)), 1 if kind > 100 else kind, payload)
    packet.id = draw(st.integers(1, 2))
    shape = draw(st.integers(0, 7))
    if shape in (0, 1, 2):
        packet.offset, packet.more = draw(st.sampled_from([8, 16, 64, 65_528])), draw(st.booleans())
    elif shape in (3, 4):
        packet.more = True
    elif shape == 5:
        packet.payload = payload[: draw(st.integers(1, 20))]
        packet.more = draw(st.booleans())
    elif shape == 6:
        packet.options = b"\x01\x01\x01\x00"
    return bytes(packet)


@examples(150)
@given(
    some=st.lists(st.tuples(packets(), st.sampled_from([0, 0, 0, 1, 99, 101])), min_size=1, max_size=40),
    limits=st.builds(
        SvLimits,
        timeout_ms=st.sampled_from([0, 100, 100]),
        max_reassemblies=st.sampled_from([1, 2, 1024]),
        max_reassembly_length=st.sampled_from([0, 1, 3]),
    ),
    extended=st.booleans(),
    together=st.booleans(),
)
def test_any_fragments(
    sv: SvBench, some: list[tuple[bytes, int]], limits: SvLimits, extended: bool, together: bool
) -> None:
    now = 0
    timed = []
    for packet, pause in some:
        now += pause * MS
        timed.append((packet, now))
    sv.check(sv.begin(limits, extended), timed, together)


def test_later_fragments_wait_and_leave_in_their_order(sv: SvBench) -> None:
    oracle = sv.begin(SvLimits())
    parts = [bytes(Ip4(1, 2, 17, header(17)[:24], id=5, offset=24 * k, more=k < 3)) for k in range(4)]
    whole = bytes(Ip4(1, 2, 17, header(17), id=6))
    sv.check(oracle, [(p, 0) for p in (parts[2], whole, parts[1], whole, parts[0], whole, parts[3])], True)


def test_on_the_way_out() -> None:
    """The feature of ip4-output looks behind the header that was put in front: a later fragment waits for the first."""
    engine = Engine()
    for n in (1, 2):
        engine.interfaces.add(f"pg{n}", device=PgDevice(), mac=bytes.fromhex("02fe000000") + bytes([n]))
        engine.interfaces.set_up(n)
        engine.interfaces.set_link(n, True)
        engine.addresses.add(n, f"10.0.{n}.1/24")
    engine.neighbours.add(2, "10.0.2.2", bytes.fromhex("0200000000aa"), static=True)
    engine.sv_reassembly.use(2, output=True)
    payload = header(17) + bytes(16)
    parts = [
        bytes(Ip4(0x0A000102, 0x0A000202, 17, payload[24 * k : 24 * k + 24], id=5, offset=24 * k, more=k == 0))
        for k in range(2)
    ]
    device = engine.interfaces[2].device
    assert isinstance(device, PgDevice)
    left = []
    for part in (parts[1], parts[0]):
        engine.pg.add("one", 1, [bytes.fromhex("02fe00000001020000000001") + b"\x08\x00" + part])
        engine.pg.enable("one")
        engine.run()
        left.append([data[14 + 20 :] for _, data in device.transmitted()])
    assert left == [[], [payload[24:], payload[:24]]]
    engine.sv_reassembly.use(2, False, output=True)
    assert engine.plane.arcs["ip4-output"].chain(2) == []
    engine.close()
