"""TCP that a tap puts together: what the host is given, cut again, is what was sent; and it is as little as can be."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

from tests.backends.tap.namespaces import needs_root
from tests.harness import Bench
from tests.naive.tcp_segments import segments
from vectorplane.dataplane.buffer import L4_CHECKSUM_COMPUTED, L4_CHECKSUM_CORRECT
from vectorplane.dataplane.region import Region
from vectorplane.graph_nodes.host_queue import OPEN
from vectorplane.graph_nodes.tap_queue import MAX_IOV
from vectorplane.graph_nodes.tap_tx import TAP_TX

pytestmark = needs_root
"""For a socket with much room."""
VNET, ETHER = 12, 14
_SO_SNDBUFFORCE = 32


class Host:
    """Stands for the kernel behind a tap: takes what the node writes, a message each."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self.ours, self.theirs):
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, 1 << 26)
        self.bench = Bench(TAP_TX, buffers=4096)
        self.room = Region(MAX_IOV * 16 + 64, name="test")
        queue = self.bench.node.data[0]
        queue["fd"], queue["state"], queue["gso"], queue["gro"] = self.ours.fileno(), OPEN, 1, 1
        queue["iov"], queue["header"] = self.room.address, self.room.address + MAX_IOV * 16
        iov = self.room.view(np.dtype("i8"), 0, 2)
        iov[:] = queue["header"], VNET

    def given(self, frames: list[bytes], flags: int = 0) -> list[tuple[int, bytes]]:
        """Each message's segment size (0: not to be cut) and frame."""

        def meta(_: int, m: Any) -> None:
            m["tx_sw_if"] = 1
            m["flags"] |= flags

        self.bench.run(frames, meta=meta)
        assert self.bench.leaked() == 0 and self.bench.errors() == {}
        made = []
        while True:
            try:
                message = self.theirs.recv(1 << 17)
            except BlockingIOError:
                return made
            kind, size = message[1], struct.unpack_from("<H", message, 4)[0]
            made.append((size if kind == 1 else 0, message[VNET:]))

    def close(self) -> None:
        self.bench.close()
        self.room.close()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.close()


def segment(flow: int, seq: int, size: int, flags: str = "A", ack: int = 5, id: int = 7, ttl: int = 64) -> bytes:
    data = bytes((seq + i) % 251 for i in range(size))
    ip = IP(src="10.0.0.1", dst="10.0.0.2", id=id, ttl=ttl, flags="DF")
    options = [("Timestamp", (1, ack)), ("NOP", None), ("NOP", None)]
    tcp = TCP(sport=1000 + flow, dport=80, seq=seq, ack=ack, flags=flags, window=500, options=options)
    return bytes(Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / ip / tcp / Raw(data))


def cut_again(size: int, frame: bytes) -> list[bytes]:
    """As the kernel would: identifications stay as they are, as in our own segments."""
    return segments(Ether(frame), size, 1 << 17) if size else [frame]


def pieces(frames: list[bytes]) -> list[int]:
    """Naively: how many frames each piece is made of."""
    made: list[int] = []
    first: Any = None
    expected, total, open_ = 0, 0, False
    for frame in frames:
        p = Ether(frame)
        size = len(p[TCP].payload)
        whole = bytes(Ether(bytes(rebuilt(p)))) == frame
        good = size > 0 and whole and int(p[TCP].flags) & ~8 == 0x10
        if (
            open_
            and good
            and made[-1] < 44
            and total + size <= 65535
            and p[TCP].seq == expected
            and size <= len(first[TCP].payload)
            and all(getattr(p[IP], f) == getattr(first[IP], f) for f in ("src", "dst", "ttl", "tos", "flags"))
            and all(
                getattr(p[TCP], f) == getattr(first[TCP], f) for f in ("sport", "dport", "ack", "window", "options")
            )
        ):
            made[-1] += 1
            total += size
            expected = (expected + size) & 0xFFFFFFFF
            open_ = size == len(first[TCP].payload) and not int(p[TCP].flags) & 8
            continue
        made.append(1)
        first, total = p, len(frame)
        expected = (p[TCP].seq + size) & 0xFFFFFFFF
        open_ = good and not int(p[TCP].flags) & 8
    return made


def rebuilt(packet: Any) -> Any:
    """The packet with checksums computed."""
    again = packet.copy()
    again[IP].chksum = again[TCP].chksum = None
    return again


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """A vector: some flows' segments, now and then one that is lost, short, pushed, corrupt or otherwise unlike."""
    seqs = {0: draw(st.sampled_from([0, 2**32 - 3000])), 1: 77}
    frames = []
    for _ in range(draw(st.integers(1, 60))):
        flow = draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
        size = draw(st.sampled_from([1000, 1000, 1000, 1000, 400, 1400, 1, 0]))
        what = draw(st.sampled_from(["", "", "", "", "", "", "push", "lost", "corrupt", "fin", "ack", "ttl"]))
        seqs[flow] = (seqs[flow] + 1000 * (what == "lost")) & 0xFFFFFFFF
        made = segment(
            flow,
            seqs[flow],
            size,
            flags={"push": "PA", "fin": "FA"}.get(what, "A"),
            ack=9 if what == "ack" else 5,
            ttl=63 if what == "ttl" else 64,
        )
        frames.append(made[:-1] + bytes([made[-1] ^ 1]) if what == "corrupt" and size else made)
        seqs[flow] = (seqs[flow] + size) & 0xFFFFFFFF
    return frames


@settings(max_examples=80, deadline=None)
@given(streams())
def test_cut_again_it_is_what_was_sent(frames: list[bytes]) -> None:
    host = Host()
    try:
        given = host.given(frames)
        assert [f for size, frame in given for f in cut_again(size, frame)] == frames
        assert [len(cut_again(size, frame)) for size, frame in given] == pieces(frames)
    finally:
        host.close()


def test_a_long_stream_becomes_few_pieces(host: Host) -> None:
    frames = [segment(0, 1448 * i, 1448) for i in range(200)]
    given = host.given(frames, L4_CHECKSUM_COMPUTED | L4_CHECKSUM_CORRECT)
    assert [size for size, _ in given] == [1448] * 5
    assert [len(cut_again(size, frame)) for size, frame in given] == [44, 44, 44, 44, 24]


def test_what_the_host_does_not_take_counts_as_many_drops(host: Host) -> None:
    host.ours.close()
    host.bench.run([segment(0, 1000 * i, 1000) for i in range(10)])
    assert host.bench.errors() == {"tap-tx: interface is gone on the host": 10}
    assert host.bench.leaked() == 0
