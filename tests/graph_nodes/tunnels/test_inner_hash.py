"""The hash that makes UDP source ports, against its naive oracle (the ports of a real VPP: tests/parity)."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.budget import examples
from tests.graph_nodes.l2.frames import tags
from tests.naive.tunnels import inner_hash as naive
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.tunnels import inner_hash
from vectorplane.jit.kernel import compiled

M32 = 0xFFFFFFFF


@compiled
def of_frame(d: int, length: int, router_id: int) -> int:
    """Of a frame."""
    return inner_hash.frame_hash(d, length, router_id)


@compiled
def of_packet(ip: int, length: int, router_id: int) -> int:
    """Of an IP packet."""
    return inner_hash.packet_hash(ip, length, router_id)


def ours(data: bytes, router_id: int, frame: bool) -> int:
    """The kernels' hash; with the JIT off a byte beyond the data would be an error."""
    raw = np.frombuffer(data, np.uint8).copy()
    with lent(raw) as (at,):
        return (of_frame if frame else of_packet)(at, len(data), router_id)


words = st.one_of(st.integers(0, M32), st.sampled_from([0, 1, M32, 1 << 31]))
labels = st.lists(st.sampled_from([0, 7, 14, 14, 16, 1 << 19, (1 << 20) - 1]), min_size=1, max_size=5)


@st.composite
def four(draw: st.DrawFn) -> bytes:
    """An IPv4 packet, with or without ports."""
    return (
        b"\x45"
        + draw(st.binary(min_size=8, max_size=8))
        + draw(st.sampled_from([b"\6", b"\x11", b"\1"]))
        + draw(st.binary(min_size=10, max_size=30))
    )


@st.composite
def six(draw: st.DrawFn) -> bytes:
    """An IPv6 packet, with extension headers; their lengths may be wrong."""
    protocol = draw(st.sampled_from([6, 17, 58, 0, 0, 44, 44]))
    rest = draw(st.binary(max_size=8))
    if protocol in (0, 44):
        follows = draw(st.sampled_from([6, 17, 44, 58]))
        rest = bytes([follows, draw(st.sampled_from([0, 0, 1, 255]))]) + bytes(6) + draw(st.binary(max_size=24))
    return (
        b"\x60"
        + draw(st.binary(min_size=5, max_size=5))
        + bytes([protocol, 9])
        + draw(st.binary(min_size=32, max_size=32))
        + rest
    )


@st.composite
def mpls(draw: st.DrawFn) -> bytes:
    """Labels, sometimes without an end, and what is behind them."""
    stack = draw(labels)
    words = [label << 12 | draw(st.integers(0, 255)) for label in stack]
    if draw(st.integers(0, 3)):
        words[-1] |= 0x100
    return b"".join(w.to_bytes(4, "big") for w in words) + draw(st.one_of(four(), six(), st.binary(max_size=30)))


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """Frames of all kinds, cut anywhere behind the header of an untagged one."""
    kind = draw(st.sampled_from([b"\x08\0", b"\x86\xdd", b"\x88\x47", b"\x08\6", b"\x81\0", b"\x88\xa8"]))
    inside = {b"\x08\0": four(), b"\x86\xdd": six(), b"\x88\x47": mpls()}.get(kind, st.binary(max_size=40))
    whole = draw(st.binary(min_size=12, max_size=12)) + draw(tags()) + kind + draw(st.one_of(inside, st.binary()))
    return whole[: draw(st.integers(14, max(14, len(whole))))] if draw(st.booleans()) else whole


@examples(400)
@given(frame=frames(), router_id=st.sampled_from([0, 0, 0xC0FFEE, M32]))
def test_frames(frame: bytes, router_id: int) -> None:
    found = ours(frame, router_id, True)
    assert found == naive.frame_hash(frame, router_id) and 0 <= found <= M32


@examples(200)
@given(packet=st.one_of(four(), six(), st.binary(max_size=60)), router_id=words)
def test_packets(packet: bytes, router_id: int) -> None:
    assert ours(packet, router_id, False) == naive.packet_hash(packet, router_id)


def test_flows_spread() -> None:
    """4,096 flows of each kind make nearly as many ports as chance would."""
    for kind, size in ((b"\x08\0", 24), (b"\x86\xdd", 44), (b"\x08\6", 28)):
        ports = set()
        for i in range(4096):
            inside = bytearray(b"\x45" if size == 24 else b"\x60") + bytearray(size - 1)
            inside[9 if size == 24 else 6] = 17
            inside[size - 3], inside[size - 1] = i >> 6, i & 63
            frame = bytes([2, 0, 0, 0, i & 63, 1, 2, 0, 0, 0, i >> 6, 2]) + kind + bytes(inside)
            ports.add(ours(frame, 0, True) & 0xFFFF)
        assert len(ports) > 3800, kind
