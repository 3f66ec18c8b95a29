"""ip4-icmp-input and ip4-icmp-echo-request against their oracles, with scapy as a witness."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench, run_node
from tests.naive.icmp4 import blank_id, echo_reply, is_right
from tests.naive.ip4_packet import Ip4, checksum, icmp
from vectorplane.graph_nodes.icmp4_echo import IP4_ICMP_ECHO_REQUEST
from vectorplane.graph_nodes.icmp4_input import IP4_ICMP_INPUT, IcmpTypes

ADDRESSES = st.integers(0, 2**32 - 1)


def request(source: int, destination: int, data: bytes, ident: int, spoil: int = 0) -> bytes:
    """An echo request, its ICMP checksum wrong by ``spoil``."""
    made = icmp(8, 0, struct.pack(">HH", ident, 1) + data, Ip4(source, destination, ttl=3, id=ident))
    (value,) = struct.unpack(">H", made.payload[2:4])
    made.payload = made.payload[:2] + struct.pack(">H", value ^ spoil) + made.payload[4:]
    return bytes(made)


REQUESTS = st.builds(
    request, ADDRESSES, ADDRESSES, st.binary(max_size=100), st.integers(0, 65535), st.sampled_from([0, 0, 1, 0xFFFF])
)


def input_next(packet: bytes) -> tuple[str, str]:
    """Oracle of ip4-icmp-input: next node and error."""
    if len(packet) < 20 or len(packet) < (packet[0] & 15) * 4 + 4:
        return "ip4-punt", "payload length too small for type"
    kind = packet[(packet[0] & 15) * 4]
    return {8: "ip4-icmp-echo-request", 0: "ip4-icmp-echo-reply"}.get(kind, "ip4-punt"), "unknown type"


@examples(20)
@given(st.lists(st.one_of(REQUESTS, st.binary(max_size=80)), min_size=1, max_size=40))
def test_input_dispatches_by_type(packets: list[bytes]) -> None:
    outs = run_node(IP4_ICMP_INPUT, packets)
    assert sorted(o.index for o in outs) == list(range(len(packets)))
    for o in outs:
        assert (o.next, o.error, o.data) == (*input_next(packets[o.index]), packets[o.index])


@examples(20)
@given(st.lists(REQUESTS, min_size=1, max_size=40))
def test_echo_replies(requests: list[bytes]) -> None:
    bench = Bench(IP4_ICMP_ECHO_REQUEST, types=[IP4_ICMP_INPUT])
    try:
        outs = bench.run(requests, rx=2)
        assert {o.index: blank_id(o.data) for o in outs} == {i: echo_reply(r) for i, r in enumerate(requests)}
        for o in outs:
            assert checksum(o.data[:20]) == 0
            assert (o.next, o.rx_sw_if, o.meta["flags"] & 16) == ("ip4-load-balance", 0, 16)
            if is_right(requests[o.index]):
                assert is_right(o.data)
        n = len(requests)
        assert bench.plane.error_counts("consumed") == {"ip4-icmp-input: echo replies sent": n}
        assert int(bench.worker.record["generated"]) == n
    finally:
        bench.close()


@examples(20)
@given(st.lists(st.binary(max_size=70), min_size=1, max_size=20))
def test_echo_survives_random_bytes(packets: list[bytes]) -> None:
    bench = Bench(IP4_ICMP_ECHO_REQUEST, types=[IP4_ICMP_INPUT])
    try:
        outs = bench.run(packets)
        assert len(outs) + sum(bench.plane.error_counts("drops").values()) == len(packets)
        assert bench.leaked() == 0
    finally:
        bench.close()


def test_ids_depend_on_seed_and_request_only() -> None:
    packets = [request(0x0A000002, 0x0A000001, b"x", i) for i in range(20)]
    once = [o.data for o in run_node(IP4_ICMP_ECHO_REQUEST, packets, types=[IP4_ICMP_INPUT])]
    again = [o.data for o in run_node(IP4_ICMP_ECHO_REQUEST, packets, types=[IP4_ICMP_INPUT], together=False)]

    def other_seed(bench: Bench) -> None:
        bench.worker.record["seed"] = 99

    seeded = [o.data for o in run_node(IP4_ICMP_ECHO_REQUEST, packets, types=[IP4_ICMP_INPUT], setup=other_seed)]
    assert once == again != seeded
    assert len({p[4:6] for p in once}) > 15


def test_scapy_agrees_with_the_reply() -> None:
    scapy: Any = pytest.importorskip("scapy.layers.inet")
    sent = scapy.IP(src="10.0.0.2", dst="10.0.0.1", id=9) / scapy.ICMP(id=7, seq=1) / b"payload"
    (out,) = run_node(IP4_ICMP_ECHO_REQUEST, [bytes(sent)], types=[IP4_ICMP_INPUT])
    got = scapy.IP(out.data)
    want = scapy.IP(src="10.0.0.1", dst="10.0.0.2", id=got.id, ttl=64) / scapy.ICMP(type=0, id=7, seq=1) / b"payload"
    assert out.data == bytes(want)


def test_a_node_can_register_for_a_type() -> None:
    bench = Bench(IP4_ICMP_INPUT)
    try:
        bench.add_stub("my-icmp")
        types = bench.plane.shared(IcmpTypes)
        types.register(13, "my-icmp")
        (out,) = bench.run([bytes(icmp(13, 0, bytes(16), Ip4()))])
        assert out.next == "my-icmp"
        assert types.registered() == {0: "ip4-icmp-echo-reply", 8: "ip4-icmp-echo-request", 13: "my-icmp"}
        types.unregister(13)
        (out,) = bench.run([bytes(icmp(13, 0, bytes(16), Ip4()))])
        assert out.next == "ip4-punt"
        with pytest.raises(ValueError, match="256 is not within"):
            types.register(256, "my-icmp")
    finally:
        bench.close()
