"""ip4-frag against its oracle; what it makes put together again by scapy's rules and ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench
from tests.naive.frag import defragment, fragment, refusal
from tests.naive.ip4_packet import Ip4
from vectorplane.dataplane.inject import make_packet
from vectorplane.graph_nodes.forwarding import DPO_MIDCHAIN, Forwarding
from vectorplane.graph_nodes.ip4_frag import IP4_FRAG

OPTION = st.sampled_from(
    [
        *(b"\x01", b"\x94\x04\0\0", b"\x07\x07\x04\0\0\0\0", b"\x83\x07\x04\1\2\3\4", b"\x88\x04\0\1"),
        *(b"\x00", b"\x44\x01", b"\x85"),
    ]
)


def options(parts: list[bytes]) -> bytes:
    """Options padded to words, 40 bytes at most."""
    raw = b"".join(parts)
    raw = raw[:40]
    return raw + bytes(-len(raw) % 4)


def body(n: int) -> bytes:
    """``n`` bytes that are not alike."""
    return (b"".join(i.to_bytes(2, "big") for i in range((n + 1) // 2)))[:n]


PACKETS = st.one_of(
    st.builds(
        lambda n, o, df, mf, at, tos: bytes(
            Ip4(payload=body(n), options=options(o), dont_fragment=df, more=mf, offset=8 * at, tos=tos, id=77)
        ),
        st.one_of(st.integers(0, 700), st.integers(1200, 9000)),
        st.lists(OPTION, max_size=4),
        st.sampled_from([False, False, False, True]),
        st.booleans(),
        st.sampled_from([0, 0, 3, 185]),
        st.integers(0, 255),
    ),
    st.binary(max_size=120),
)
MTUS = st.one_of(st.integers(0, 80), st.integers(80, 1600), st.integers(2000, 9000))


def mtu_meta(mtu: int) -> Any:
    """Metadata as ip4-rewrite leaves it."""

    def meta(i: int, m: Any) -> None:
        m["icmp_data"], m["adj"] = mtu, 3

    return meta


@examples(60)
@given(st.lists(PACKETS, min_size=1, max_size=12), MTUS)
def test_agrees_with_oracle(packets: list[bytes], mtu: int) -> None:
    bench = Bench(IP4_FRAG, buffers=16384)
    try:
        outs = bench.run(packets, meta=mtu_meta(mtu))
        sent = [(o.index, o.data) for o in outs if o.next == "ip4-rewrite"]
        refused = {o.index: (o.next, o.error, o.data) for o in outs if o.next != "ip4-rewrite"}
        wanted, wrong, next_id, generated = [], {}, 0, 0
        for i, p in enumerate(packets):
            why = refusal(p, mtu)
            if why is not None:
                wrong[i] = ("ip4-icmp-error" if "this packet" in why else "ip4-drop", why, p)
                continue
            made = fragment(p, mtu, next_id & 0xFFFF)
            next_id += (p[6] & 0x3F) == 0 and p[7] == 0
            wanted += [(i, f) for f in made]
            generated += len(made) - 1
        assert sent == wanted
        assert refused == wrong
        assert int(bench.worker.record["generated"]) == generated
        assert bench.errors().get("ip4-frag: number of sent fragments", 0) == len(wanted)
        for i in {i for i, _ in sent}:
            fragments = [f for k, f in sent if k == i]
            assert all(len(f) <= mtu and len(f) <= 2048 for f in fragments)
            if packets[i][6] & 0x20 == 0 and packets[i][6] & 0x1F == 0 and packets[i][7] == 0:
                assert defragment(fragments) == Ip4.parse(packets[i]).payload
        assert all(o.meta["adj"] == 3 and o.meta["flags"] & 16 == 0 for o in outs)
        assert bench.leaked() == 0
    finally:
        bench.close()


def test_ids_run_by_partition() -> None:
    bench = Bench(IP4_FRAG)
    try:

        def meta(i: int, m: Any) -> None:
            m["icmp_data"], m["partition"] = 600, i % 2

        outs = bench.run([bytes(Ip4(payload=body(1000)))] * 6, meta=meta)
        assert [(o.index, o.data[5]) for o in outs[::2]] == [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)]
    finally:
        bench.close()


def test_fragments_of_a_midchain_go_back_to_it() -> None:
    bench = Bench(IP4_FRAG)
    try:
        bench.plane.shared(Forwarding).adjacencies[3]["type"] = DPO_MIDCHAIN
        outs = bench.run([bytes(Ip4(payload=body(1000)))], meta=mtu_meta(600))
        assert [o.next for o in outs] == ["ip4-midchain"] * 2
    finally:
        bench.close()


def test_too_few_buffers_drop_the_whole_packet() -> None:
    bench = Bench(IP4_FRAG)
    try:
        while bench.plane.free_buffers() > 4:
            make_packet(bench.plane, b"")
        before = bench.plane.free_buffers()
        packet = bytes(Ip4(payload=body(1000)))
        (out,) = bench.run([packet], meta=mtu_meta(200))
        assert (out.next, out.error, out.data) == ("ip4-drop", "could not allocate buffer", packet)
        assert bench.plane.free_buffers() == before
        assert bench.errors() == {}
    finally:
        bench.close()


def test_one_fragment_is_counted_as_small() -> None:
    bench = Bench(IP4_FRAG)
    try:
        (out,) = bench.run([bytes(Ip4(payload=body(100)))], meta=mtu_meta(600))
        assert Ip4.parse(out.data).payload == body(100)
        assert bench.errors()["ip4-frag: packet smaller than MTU"] == 1
    finally:
        bench.close()


def test_scapy_puts_them_together() -> None:
    scapy: Any = pytest.importorskip("scapy.layers.inet")
    bench = Bench(IP4_FRAG)
    try:
        packet = scapy.IP(src="10.0.0.2", dst="10.0.1.2", id=5) / scapy.UDP(sport=1, dport=2) / body(3000)
        outs = bench.run([bytes(packet)], meta=mtu_meta(576))
        whole = scapy.defragment([scapy.IP(o.data) for o in outs])[-1]
        (made,) = whole if not isinstance(whole, scapy.IP) else (whole,)
        assert bytes(made[scapy.UDP]) == bytes(packet)[20:]
        for o in outs:
            one = scapy.IP(o.data)
            value = one.chksum
            del one.chksum
            assert scapy.IP(bytes(one)).chksum == value
    finally:
        bench.close()
