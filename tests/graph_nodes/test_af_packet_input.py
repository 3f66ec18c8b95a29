"""af-packet-input over rings in memory, healthy and damaged, against a reader with slices of bytes.

Without the JIT every access outside the ring raises; with it the ring ends where no memory is.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from tests.budget import examples, run_without_jit
from tests.harness import collector
from tests.naive.af_packet_ring import TAGGED, TIMED_OUT, USER, Seen, read_ring
from vectorplane.dataplane.abi import POLLING, REAL
from vectorplane.dataplane.inject import free_packet
from vectorplane.dataplane.plane import Dataplane
from vectorplane.graph_nodes.af_packet_input import (
    AF_PACKET_INPUT,
    E_BAD_HEADER,
    E_BLOCKS,
    E_DAMAGED,
    E_NO_BUFFERS,
    E_PARTIAL,
    E_TIMED_OUT,
)
from vectorplane.graph_nodes.af_packet_queue import AfPacketQueues
from vectorplane.graph_nodes.capture_input import DEVICE_INPUT
from vectorplane.graph_nodes.host_queue import OPEN
from vectorplane.jit import twin
from vectorplane.jit.kernel import JIT

BLOCK, BLOCKS = 4096, 4
MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


class Ring:
    """Memory for ``BLOCKS`` blocks; the page behind them can't be touched."""

    def __init__(self, size: int = BLOCK) -> None:
        total = size * BLOCKS
        self._mapping = mmap.mmap(-1, total + mmap.PAGESIZE)
        self.bytes = np.frombuffer(self._mapping, np.uint8, total)
        self.address = int(self.bytes.ctypes.data)
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.mprotect(ctypes.c_void_p(self.address + total), mmap.PAGESIZE, 0) == 0
        self.size = size
        if not JIT:
            twin.register(self.address, total, "ring")

    def fill(self, blocks: list[bytes]) -> None:
        """Put these blocks in, padded with what was there before."""
        for i, block in enumerate(blocks):
            self.bytes[i * self.size : i * self.size + len(block)] = np.frombuffer(block, np.uint8)

    def status(self, block: int) -> int:
        """The block's status word."""
        return int(self.bytes[block * self.size + 8 : block * self.size + 12].view(np.uint32)[0])


class Reader:
    """The node with one queue over a ring."""

    def __init__(self, size: int = BLOCK) -> None:
        ends = [collector("error-drop"), collector("ethernet-input")]
        self.plane = Dataplane([AF_PACKET_INPUT, *ends], [DEVICE_INPUT], buffers=1024)
        for name in ("local0", "one"):
            self.plane.add_interface(name)
        self.node = self.plane.graph.add("af-packet-input")
        self.end = self.plane.graph["ethernet-input"]
        self.ring = Ring(size)
        self.queue = self.plane.shared(AfPacketQueues).tables[0][0]
        self.node.data["n_queues"] = 1
        worker = self.plane.workers[0]
        worker.record["clock"] = REAL
        self.node.record(0)["state"], self.node.record(0)["next_time"] = POLLING, 0
        worker.add_input(self.node.index)
        self.plane.graph.link_kernels()
        self.set()

    def set(self, *, vnet: int = 0, gso: bool = False, vector: int = 256) -> None:
        """Begin anew with block 0."""
        q, ring = self.queue, self.ring
        q["state"], q["sw_if_index"], q["vnet"], q["gso"] = OPEN, 1, vnet, gso
        q["ring"], q["block_size"], q["blocks"] = ring.address, ring.size, BLOCKS
        q["block"] = q["left"] = q["at"] = q["done"] = 0
        ring.bytes[:] = 0
        self.plane.workers[0].record["vector_size"] = vector
        self.before = self.counters()

    def counters(self) -> list[int]:
        """The node's error counters."""
        base = self.node.error_base
        return [int(self.plane.errors.thread(0)[base + e]) for e in range(6)]

    def read(self, rounds: int = 64) -> list[bytes]:
        """The packets that come out."""
        found = []
        data = self.end.data[0]
        for _ in range(rounds):
            self.plane.workers[0].dispatch(1)
            count = int(data["count"])
            for bi in (int(i) for i in data["bi"][:count]):
                found.append(self.plane.pool.data(bi))
                free_packet(self.plane, bi, 0)
            data["count"] = 0
        return found

    def counted(self) -> list[int]:
        """What was counted since `set`."""
        return [now - then for now, then in zip(self.counters(), self.before, strict=True)]


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.plane.close()


@pytest.fixture(scope="module")
def large() -> Iterator[Reader]:
    """With blocks that hold 64 KB frames."""
    made = Reader(1 << 17)
    yield made
    made.plane.close()


@dataclass
class Frame:
    """One frame of a block; None: as it should be."""

    data: bytes
    vnet: bytes = b""
    status: int = USER
    tag: int = 0
    tag_type: int = 0
    step: int | None = None
    at: int | None = None
    size: int | None = None
    whole: int | None = None


def block_of(frames: list[Frame], *, status: int = USER, first: int = 48, count: int | None = None) -> bytes:
    """A block as the kernel writes it."""
    body = b""
    for f in frames:
        at = 96
        length = -(-(at + len(f.data)) // 16) * 16
        size = len(f.data) if f.size is None else f.size
        header = struct.pack(
            "IIIIIIHHIIHH8x",
            length if f.step is None else f.step,
            0,
            0,
            size,
            size if f.whole is None else f.whole,
            f.status,
            at if f.at is None else f.at,
            0,
            0,
            f.tag,
            f.tag_type,
            0,
        )
        gap = bytes(at - len(header) - len(f.vnet)) + f.vnet
        body += (header + gap + f.data).ljust(length, b"\0")
    n = len(frames) if count is None else count
    return struct.pack("IIIIIIQ16x", 1, 48, status, n, first, 48 + len(body), 0) + body


def check(reader: Reader, blocks: list[bytes], vnet: int = 0) -> Seen:
    """What the node makes of the ring is what the naive reader makes of it; what was read is given back."""
    all_blocks = blocks + [b""] * (BLOCKS - len(blocks))
    whole = [b[: reader.ring.size].ljust(reader.ring.size, b"\0") for b in all_blocks]
    reader.ring.fill(whole)
    expected = read_ring(whole, 0, vnet)
    assert reader.read() == expected.packets
    counted = reader.counted()
    assert counted[E_PARTIAL] == expected.partial
    assert counted[E_DAMAGED] == expected.damaged
    assert counted[E_BLOCKS] == expected.blocks
    assert counted[E_TIMED_OUT] == expected.timed_out
    assert int(reader.queue["block"]) == expected.left
    for i in range(expected.blocks):
        assert reader.ring.status(i) == 0
    return expected


numbers = st.one_of(st.integers(0, 120), st.integers(3900, 4200), st.sampled_from([0xFFFF, 1 << 31, (1 << 32) - 1]))
shorts = st.one_of(st.integers(0, 120), st.integers(3900, 4200), st.just(0xFFFF))
maybe = st.one_of(st.none(), st.none(), st.none(), numbers)
frames = st.builds(
    Frame,
    st.binary(min_size=14, max_size=300),
    status=st.sampled_from([USER, USER | TAGGED, USER | TAGGED | 64]),
    tag=st.integers(0, 0xFFFF),
    tag_type=st.sampled_from([0x8100, 0x88A8, 0]),
    step=maybe,
    at=st.one_of(st.none(), st.none(), shorts),
    size=maybe,
    whole=maybe,
)
blocks = st.builds(
    block_of,
    st.lists(frames, max_size=6),
    status=st.sampled_from([USER, USER | TIMED_OUT, 0]),
    first=st.one_of(st.just(48), st.just(48), numbers),
    count=maybe,
)


@examples(400)
@given(st.lists(blocks, min_size=BLOCKS, max_size=BLOCKS), st.integers(1, 5))
def test_damaged_rings(reader: Reader, given_blocks: list[bytes], vector: int) -> None:
    """Whatever lies in the ring: nothing outside it is read, and each block comes to an end."""
    reader.set(vector=vector)
    check(reader, given_blocks)


@examples(200)
@given(st.lists(st.binary(min_size=BLOCK, max_size=BLOCK), min_size=1, max_size=2))
def test_rubbish(reader: Reader, rubbish: list[bytes]) -> None:
    """Bytes without meaning."""
    reader.set()
    check(reader, rubbish)


@pytest.mark.parametrize("left", range(0, 97, 8))
def test_a_header_at_the_very_end(reader: Reader, left: int) -> None:
    """Of the last block, behind which there is no memory."""
    reader.set()
    full = block_of([Frame(bytes(60))])
    check(reader, [full, full, full, block_of([], first=BLOCK - left, count=1)])


@pytest.mark.parametrize("step", [0, 1, 47, 48, (1 << 32) - 1])
def test_steps_that_lead_nowhere(reader: Reader, step: int) -> None:
    """The frame that they belong to is good; a count that never ends is no reason to go on for ever."""
    reader.set()
    seen = check(reader, [block_of([Frame(bytes(60), step=step), Frame(bytes(61))], count=(1 << 32) - 1)])
    assert (len(seen.packets), seen.damaged) == (1, 1)


@pytest.mark.parametrize(("at", "damaged"), [(47, 1), (48, 1), (57, 1), (58, 0)])
def test_no_room_for_a_vnet_header(reader: Reader, at: int, damaged: int) -> None:
    """Between a frame's header and its bytes."""
    reader.set(vnet=10)
    assert check(reader, [block_of([Frame(bytes(60), at=at)])], vnet=10).damaged == damaged


def test_the_ring_goes_round(reader: Reader) -> None:
    """Block after block, in the host's order, over the end."""
    reader.set(vector=3)
    sent = [bytes([i]) * (14 + i) for i in range(40)]
    for turn in range(0, 40, 4):
        n = (turn // 4) % BLOCKS
        block = block_of([Frame(f) for f in sent[turn : turn + 4]])
        reader.ring.bytes[n * BLOCK : n * BLOCK + len(block)] = np.frombuffer(block, np.uint8)
        assert reader.read(4) == sent[turn : turn + 4]
        assert reader.ring.status(n) == 0


def test_without_buffers(reader: Reader) -> None:
    """The block is read all the same, and the frames are counted."""
    reader.set()
    worker, free = reader.plane.workers[0].record, reader.plane.pool._free_count
    kept = int(worker["cache_n"]), int(free[0])
    worker["cache_n"] = free[0] = 0
    reader.ring.fill([block_of([Frame(bytes(60))] * 3)])
    assert reader.read(2) == [] and reader.ring.status(0) == 0
    assert reader.counted()[E_NO_BUFFERS] == 3
    worker["cache_n"], free[0] = kept


def vnet(kind: int, mss: int, start: int, place: int) -> bytes:
    return struct.pack("<BBHHHH", 1, kind, start + 20, mss, start, place)


def expected_parts(packet: Ether, mss: int) -> list[bytes]:
    """What a card that cuts makes of it, by scapy."""
    l4 = packet[TCP] if TCP in packet else packet[UDP]
    payload = bytes(l4.payload)
    parts = []
    for n, at in enumerate(range(0, len(payload), mss)):
        part = packet.copy()
        ip = part[IP] if IP in part else part[IPv6]
        if IP in part:
            ip.id, ip.len, ip.chksum = (ip.id + n) & 0xFFFF, None, None
        else:
            ip.plen = None
        if TCP in part:
            tcp, last = part[TCP], at + mss >= len(payload)
            tcp.seq, tcp.chksum = (tcp.seq + at) & 0xFFFFFFFF, None
            tcp.flags = int(tcp.flags) & ~(0 if last else 0x09) & ~(0x80 if n else 0)
        else:
            part[UDP].len = part[UDP].chksum = None
        (part[TCP] if TCP in part else part[UDP]).remove_payload()
        parts.append(bytes(part / payload[at : at + mss]))
    return parts


@examples(60)
@given(
    st.sampled_from(["tcp4", "tcp6", "udp4", "udp6", "tcp4 tagged", "tcp4 options"]),
    st.integers(8, 9000),
    st.integers(1, 40000),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from([0x10, 0x18, 0x19, 0x98]),
    st.integers(1, 9),
)
def test_cut(large: Reader, what: str, mss: int, size: int, seq: int, flags: int, vector: int) -> None:
    """What the host leaves to be cut comes in as a card would have cut it, whatever the vector's size."""
    size = min(size, mss * 60)
    large.set(vnet=10, vector=vector)
    l4 = UDP(sport=7, dport=9) if "udp" in what else TCP(sport=7, dport=9, seq=seq, flags=flags)
    if "options" in what:
        l4.options = [("NOP", None), ("NOP", None), ("Timestamp", (1, 2))]
    l3 = IPv6(src="fd00::1", dst="fd00::2") if "6" in what else IP(src="10.0.0.1", dst="10.0.0.2", id=65530)
    link = Ether(**MACS) / Dot1Q(vlan=5) if "tagged" in what else Ether(**MACS)
    packet = link / l3 / l4 / (bytes(range(251)) * 200)[:size]
    start = len(link) + (40 if "6" in what else 20)
    kind = 5 if "udp" in what else 4 if "6" in what else 1
    frame = Frame(bytes(packet), vnet(kind, mss, start, 6 if "udp" in what else 16))
    large.ring.fill([block_of([frame, Frame(bytes(Ether(**MACS) / IP() / UDP()), bytes(10))])])
    whole = Ether(bytes(packet))
    assert large.read()[:-1] == expected_parts(whole, mss)


vnet_headers = st.one_of(
    st.binary(min_size=10, max_size=10),
    st.builds(
        lambda flags, kind, mss, start, place: struct.pack("<BBHHHH", flags, kind, 0, mss, start, place),
        st.sampled_from([0, 1, 3]),
        st.sampled_from([0, 1, 4, 5, 0x81, 3]),
        st.integers(0, 100),
        st.integers(0, 210),
        st.integers(0, 210),
    ),
)
starts = st.sampled_from([b"", bytes(Ether(**MACS) / IP() / TCP()), bytes(Ether(**MACS) / IPv6() / UDP())])


@examples(600)
@given(vnet_headers, starts, st.binary(min_size=14, max_size=200), st.booleans())
def test_vnet_headers_that_lie(large: Reader, header: bytes, start: bytes, data: bytes, gso: bool) -> None:
    """One packet in: one comes out, or some, or it is a drop; never more bytes than were there. No memory follows."""
    large.set(vnet=10, gso=gso)
    data = start + data
    large.queue["block"] = BLOCKS - 1
    frame = block_of([Frame(data, header)])[48 : 48 + 96 + len(data)]
    first = large.ring.size - len(frame)
    head = block_of([], first=first, count=1)
    last = (BLOCKS - 1) * large.ring.size
    large.ring.bytes[last : last + 48] = np.frombuffer(head, np.uint8)
    large.ring.bytes[last + first :] = np.frombuffer(frame, np.uint8)
    out = large.read(300)
    assert large.counted()[E_DAMAGED] == 0
    assert len(out) + large.counted()[E_BAD_HEADER] >= 1
    assert all(len(p) <= len(data) for p in out)


def test_the_same_without_jit() -> None:
    """Every access checked."""
    if JIT:
        run_without_jit("tests/graph_nodes/test_af_packet_input.py")
