"""The flow hash against a plain lookup3, for all configurations, and what it must have in common in both directions."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.naive.ip4_fast import flow_hash as naive
from tests.naive.ip4_fast import header, lookup3
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.flow_hash import ip4_flow_hash, mix3
from vectorplane.graph_nodes.forwarding import HASH_DEFAULT, HASH_SYMMETRIC
from vectorplane.jit.kernel import compiled

M32 = 0xFFFFFFFF


@compiled
def hash_of(ip: int, length: int, config: int, router_id: int) -> int:
    """The flow hash."""
    return ip4_flow_hash(ip, length, config, router_id)


@compiled
def mix(a: int, b: int, c: int) -> int:
    """lookup3."""
    return mix3(a, b, c)


def ours(packet: bytes, config: int, router_id: int = 0) -> int:
    """The kernel's hash; with the JIT off a byte beyond the packet would be an error."""
    data = np.frombuffer(packet, np.uint8).copy()
    with lent(data) as (at,):
        return hash_of(at, len(packet), config, router_id)


words = st.one_of(st.integers(0, M32), st.sampled_from([0, 1, M32, 1 << 31]))


@examples(120)
@given(a=words, b=words, c=words)
def test_mix(a: int, b: int, c: int) -> None:
    assert mix(a, b, c) == lookup3(a, b, c)


packets = st.builds(
    lambda protocol, a, b, rest: header(protocol=protocol, source=a, destination=b) + rest,
    st.sampled_from([6, 17, 1, 47, 0, 255]),
    words,
    words,
    st.binary(max_size=12),
)


@examples(120)
@given(packet=packets, config=st.integers(0, 255), router_id=words)
def test_against_the_oracle(packet: bytes, config: int, router_id: int) -> None:
    found = ours(packet, config, router_id)
    assert found == naive(packet, config, router_id) and 0 <= found <= M32


@examples(60)
@given(tunnel=words, config=st.integers(128, 255), cut=st.integers(0, 12), port=st.sampled_from([2152, 2153]))
def test_gtp_tunnels(tunnel: int, config: int, cut: int, port: int) -> None:
    """The id of a GTP-U tunnel counts when it was asked for and is in the packet."""
    udp = b"\x10\x00" + port.to_bytes(2, "big") + bytes(8) + tunnel.to_bytes(4, "big")
    packet = header(protocol=17, source=1, destination=2) + udp[: 16 - cut]
    assert ours(packet, config) == naive(packet, config)
    same = ours(packet, config) == ours(packet, config & 127)
    assert same == (port != 2152 or cut > 0 or tunnel == 0)


@examples(60)
@given(source=words, destination=words, sport=st.integers(0, 0xFFFF), dport=st.integers(0, 0xFFFF))
def test_symmetric(source: int, destination: int, sport: int, dport: int) -> None:
    """Both directions of a flow take the same path when that was asked for."""
    one, two = sport.to_bytes(2, "big"), dport.to_bytes(2, "big")
    there = header(protocol=6, source=source, destination=destination) + one + two
    back = header(protocol=6, source=destination, destination=source) + two + one
    assert ours(there, HASH_DEFAULT | HASH_SYMMETRIC) == ours(back, HASH_DEFAULT | HASH_SYMMETRIC)


def test_flows_spread() -> None:
    """4,096 flows over 16 buckets: none is far from its share."""
    counts = [0] * 16
    for i in range(4096):
        packet = header(source=0x0A000000 + i % 64, destination=0x0B000000 + i // 64) + bytes(4)
        counts[ours(packet, HASH_DEFAULT) & 15] += 1
    assert min(counts) > 180 and max(counts) < 340, counts
