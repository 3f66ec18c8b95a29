"""ip4-local, ip4-receive and ip4-udp-lookup against their oracles: checksums, source checks, protocols, ports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.harness import Bench
from tests.naive.ip4_local import local, udp_lookup
from tests.naive.ip4_packet import Ip4, address, icmp, tcp, udp
from vectorplane.dataplane.buffer import L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT, OFFLOAD_L4_CHECKSUM
from vectorplane.graph_nodes import udp_local
from vectorplane.graph_nodes.fib import Fibs
from vectorplane.graph_nodes.forwarding import (
    DPO_ADJACENCY,
    DPO_DROP,
    DPO_GLEAN,
    DPO_RECEIVE,
    Forwarding,
)
from vectorplane.graph_nodes.ip4_local import (
    IP4_LOCAL,
    IP4_LOCAL_END_OF_ARC,
    IP4_RECEIVE,
    LocalProtocols,
)
from vectorplane.graph_nodes.udp_local import IP4_UDP_LOOKUP, UdpPorts

HOME, OURS, FAR, NOWHERE = (address(a) for a in ("10.0.0.2", "10.0.0.1", "20.0.0.1", "30.0.0.1"))
BROADCAST = 0xFFFFFFFF


def route(source: int) -> str:
    """The routes that `routes` makes: 10/8 connected, 10.0.0.1 ours, 20/8 drop and an adjacency, 40/8 drop."""
    if source == OURS:
        return "ours"
    return "out" if source >> 24 in (10, 20) else "nowhere"


def routes(bench: Bench, fib: int = 0) -> None:
    """The FIB that `route` describes."""
    forwarding, fibs = bench.plane.shared(Forwarding), bench.plane.shared(Fibs)
    values = []
    for kinds in ([DPO_GLEAN], [DPO_RECEIVE], [DPO_DROP, DPO_ADJACENCY], [DPO_DROP]):
        lb = forwarding.lb_pool.take()
        record = forwarding.load_balances[lb]
        if len(kinds) == 1:
            record["type"] = kinds[0]
        else:
            record["n_minus_1"] = len(kinds) - 1
            record["buckets"] = first = forwarding.bucket_pool.take_run(len(kinds))
            forwarding.buckets["type"][first : first + len(kinds)] = kinds
        values.append(lb)
    prefixes = np.array([10 << 24, OURS, 20 << 24, 40 << 24])
    fibs.mtrie.load(fib, prefixes, np.array([8, 32, 8, 8]), np.array(values))


def spoilt(packet: Ip4, at: int, bit: int) -> bytes:
    """One bit of the payload turned."""
    raw = bytearray(packet.payload)
    raw[at % len(raw)] ^= 1 << bit
    return bytes(replace(packet, payload=bytes(raw)))


BASE = st.builds(
    Ip4,
    source=st.sampled_from([HOME, OURS, FAR, NOWHERE, address("40.0.0.1"), 0]),
    destination=st.sampled_from([OURS, OURS, BROADCAST]),
    more=st.sampled_from([False, False, False, True]),
    offset=st.sampled_from([0, 0, 0, 64]),
    options=st.sampled_from([b"", b"", b"\x01\x01\x01\0"]),
)
PORTS = st.sampled_from([0, 53, 67, 4789, 65535])
DATA = st.one_of(st.binary(max_size=40), st.integers(0, 5000).map(lambda n: bytes(i & 255 for i in range(n))))
L4 = st.one_of(
    st.builds(lambda p, s, d, data: udp(s, d, data, p), BASE, PORTS, PORTS, DATA),
    st.builds(lambda p, s, d, data: tcp(s, d, data, p), BASE, PORTS, PORTS, DATA),
    st.builds(lambda p, data: icmp(8, 0, bytes(4) + data, p), BASE, DATA),
    st.builds(lambda p, n, data: replace(p, protocol=n, payload=data), BASE, st.integers(0, 255), DATA),
)


def without_checksum(packet: Ip4) -> bytes:
    """A UDP datagram whose sender did not compute a checksum."""
    return bytes(replace(packet, payload=packet.payload[:6] + b"\0\0" + packet.payload[8:]))


PACKETS = st.one_of(
    L4.map(bytes),
    L4.map(lambda p: bytes(p) + bytes(18)),
    st.builds(spoilt, L4.filter(lambda p: p.payload), st.integers(0, 6000), st.integers(0, 7)),
    st.builds(lambda p, data: without_checksum(udp(1, 2, data, p)), BASE, DATA),
    st.builds(lambda p, n: bytes(p)[:n], L4, st.integers(0, 60)),
    st.binary(max_size=60),
)


@examples(60)
@given(st.lists(PACKETS, min_size=1, max_size=20), st.booleans())
def test_agrees_with_oracle(packets: list[bytes], receive: bool) -> None:
    node, others = (IP4_RECEIVE, [IP4_LOCAL]) if receive else (IP4_LOCAL, [])
    bench = Bench(node, types=others, setup=routes)
    try:

        def meta(i: int, m: Any) -> None:
            m["adj"] = 1

        outs = bench.run(packets, meta=meta)
        got = {o.index: (o.next, o.error, o.data) for o in outs}
        assert got == {i: (*local(p, route), p) for i, p in enumerate(packets)}
        names = bench.plane.graph.error_names
        assert {names[o.meta["error"]][0] for o in outs} == {"ip4-local"}
    finally:
        bench.close()


def test_the_source_is_looked_up_in_the_packets_own_table() -> None:
    bench = Bench(IP4_LOCAL, setup=lambda b: routes(b, 3))
    try:
        packet = bytes(udp(1, 2, b"x", Ip4(HOME)))

        def meta(i: int, m: Any) -> None:
            m["fib_index"], m["tx_sw_if"] = ((3, -1), (0, -1), (0, 3))[i]

        outs = bench.run([packet] * 3, meta=meta)
        assert {o.index: o.next for o in outs} == {0: "ip4-udp-lookup", 1: "ip4-drop", 2: "ip4-udp-lookup"}
        assert next(o for o in outs if o.index == 0).meta["adj"] == 1  # the load-balance of 10/8
    finally:
        bench.close()


def test_a_device_that_checked_the_checksum_is_believed() -> None:
    good, bad = bytes(udp(1, 2, b"x", Ip4(HOME))), spoilt(udp(1, 2, b"x", Ip4(HOME)), 8, 0)
    flags = [L4_CHECKSUM_COMPUTED, L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT, OFFLOAD_L4_CHECKSUM, 0]

    def meta(i: int, m: Any) -> None:
        m["flags"] = flags[i]

    bench = Bench(IP4_LOCAL, setup=routes)
    try:
        outs = bench.run([good, bad, bad, bad], meta=meta)
        assert {o.index: o.next == "ip4-drop" for o in outs} == {0: True, 1: False, 2: False, 3: True}
    finally:
        bench.close()


def test_features_and_their_end() -> None:
    bench = Bench(IP4_LOCAL_END_OF_ARC, types=[IP4_LOCAL], setup=routes)
    try:
        packets = [bytes(udp(1, 2, b"x", Ip4(NOWHERE))), bytes(icmp(8, 0, bytes(4), Ip4(OURS)))]
        outs = bench.run([*packets, bytes(Ip4(protocol=99)), bytes(Ip4(more=True, payload=bytes(8)))])
        assert [o.next for o in sorted(outs, key=lambda o: o.index)] == [
            "ip4-udp-lookup",
            "ip4-icmp-input",
            "ip4-punt",
            "ip4-local-full-reassembly",
        ]
    finally:
        bench.close()


def test_protocols_register() -> None:
    bench = Bench(IP4_LOCAL, setup=routes)
    try:
        bench.add_stub("my-protocol")
        protocols = bench.plane.shared(LocalProtocols)
        protocols.register(132, "my-protocol")
        assert protocols.registered() == {1: "ip4-icmp-input", 17: "ip4-udp-lookup", 132: "my-protocol"}
        (out,) = bench.run([bytes(Ip4(HOME, protocol=132))])
        assert out.next == "my-protocol"
    finally:
        bench.close()


@examples(40)
@given(st.lists(PACKETS, min_size=1, max_size=20))
def test_udp_lookup_agrees_with_oracle(packets: list[bytes]) -> None:
    bench = Bench(IP4_UDP_LOOKUP)
    try:
        bench.add_stub("my-dns")
        bench.plane.shared(UdpPorts).register(53, "my-dns")
        outs = bench.run(packets)
        got = {o.index: (o.next, o.error or "No error", o.data) for o in outs}
        assert got == {i: udp_lookup(p, {53: "my-dns"}) for i, p in enumerate(packets)}
        for o in outs:
            if o.next == "ip4-icmp-error":
                assert (o.meta["icmp_type"], o.meta["icmp_code"], o.meta["icmp_data"]) == (3, 3, 0)
    finally:
        bench.close()


@pytest.mark.parametrize(
    ("slot", "following", "error"),
    [
        (udp_local.PUNT, "ip4-punt", "No listener punt"),
        (udp_local.DROP, "ip4-drop", "No listener for dst port"),
        (udp_local.ICMP_ERROR, "ip4-icmp-error", "No listener for dst port"),
    ],
)
def test_unknown_ports(slot: int, following: str, error: str) -> None:
    bench = Bench(IP4_UDP_LOOKUP)
    try:
        bench.plane.shared(UdpPorts).unknown_to(slot)
        packet = bytes(udp(1, 2, b"x", Ip4()))
        (out,) = bench.run([packet])
        assert (out.next, out.error, out.data) == (following, error, packet)
    finally:
        bench.close()
