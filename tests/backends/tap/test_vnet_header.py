"""The vnet header: missing checksums against scapy, TCP that is to be cut there and back, and headers that lie."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Dot1Q, Ether

from vectorplane.backends.engine.engine import Engine
from vectorplane.dataplane.buffer import GSO, buffer_at, free, reserve
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.frame_in import frame_in
from vectorplane.graph_nodes.vnet_header import put_vnet_header, take_vnet_header
from vectorplane.jit.kernel import compiled

MACS = {"src": "02:00:00:00:00:01", "dst": "02:00:00:00:00:02"}


@compiled
def take(worker: int, data: int, size: int, header: int) -> int:
    """A packet of ``size`` bytes under the header: 2 * its buffer, + 1 when what it asks for is done."""
    reserve(worker, 1)
    index = frame_in(worker, data, size, 1, 0)
    return 2 * index + (1 if take_vnet_header(worker, buffer_at(worker, index), header) else 0)


@compiled
def give(worker: int, index: int, header: int) -> int:
    """The header of a packet that is to be cut; 1 when there is one. The packet is gone then."""
    done = 1 if put_vnet_header(buffer_at(worker, index), header) else 0
    free(worker, index)
    return done


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine()
    yield made
    made.close()


def taken(engine: Engine, frame: bytes, header: bytes) -> tuple[bool, int, bytes]:
    """Whether the header's wish could be done, the buffer, and the packet's bytes."""
    assert len(header) == 12
    data, raw = np.frombuffer(frame + bytes(64), np.uint8).copy(), np.frombuffer(header + bytes(4), np.uint8).copy()
    with lent(data, raw) as (at, header_at):
        result = take(engine.plane.workers[0].address, at, len(frame), header_at)
    return bool(result & 1), result >> 1, engine.plane.pool.data(result >> 1)


def given_back(engine: Engine, index: int) -> tuple[bool, bytes]:
    raw = np.zeros(16, np.uint8)
    with lent(raw) as (at,):
        done = give(engine.plane.workers[0].address, index, at)
    return bool(done), raw.tobytes()[:12]


def header(flags: int = 0, kind: int = 0, length: int = 0, size: int = 0, start: int = 0, place: int = 0) -> bytes:
    return struct.pack("<BBHHHHH", flags, kind, length, size, start, place, 1)


def partial(frame: bytes, start: int, place: int, pseudo: int) -> bytes:
    """The frame as a kernel leaves it: the sum of its pseudo header where the checksum goes."""
    return frame[: start + place] + pseudo.to_bytes(2, "big") + frame[start + place + 2 :]


def folded(data: bytes) -> int:
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@settings(max_examples=60, deadline=None)
@given(
    payload=st.binary(max_size=5000),
    version=st.sampled_from([4, 6]),
    tagged=st.booleans(),
    tcp=st.booleans(),
)
def test_a_missing_checksum_is_filled_in(engine: Engine, payload: bytes, version: int, tagged: bool, tcp: bool) -> None:
    """As scapy would have done it: any protocol, any length, also in several buffers."""
    l4 = TCP(sport=1, dport=2, flags="A") if tcp else UDP(sport=1, dport=2)
    l3 = IP(src="10.0.0.1", dst="10.0.0.2") if version == 4 else IPv6(src="fd00::1", dst="fd00::2")
    l2 = Ether(**MACS) / Dot1Q(vlan=5) if tagged else Ether(**MACS)
    whole = bytes(l2 / l3 / l4 / payload)
    start = 14 + 4 * tagged + (20 if version == 4 else 40)
    place = 16 if tcp else 6
    ip = whole[14 + 4 * tagged :]
    addresses = ip[12:20] if version == 4 else ip[8:40]
    pseudo = folded(addresses + struct.pack(">HH", 6 if tcp else 17, len(whole) - start))
    done, index, data = taken(engine, partial(whole, start, place, pseudo), header(1, start=start, place=place))
    assert done
    assert data == whole
    free_now(engine, index)


def free_now(engine: Engine, index: int) -> None:
    given_back(engine, index)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=0, max_size=200), st.binary(min_size=11, max_size=11))
def test_any_header_over_any_bytes(engine: Engine, frame: bytes, raw: bytes) -> None:
    """Nothing is read or written outside the packet: its length stays, and so do the bytes that are no checksum."""
    done, index, data = taken(engine, frame or b"\0", raw + b"\0")
    assert len(data) == len(frame or b"\0")
    changed = [i for i, (a, b) in enumerate(zip(data, frame or b"\0", strict=True)) if a != b]
    if changed:
        at = struct.unpack_from("<HH", raw, 6)
        assert done and set(changed) <= {sum(at), sum(at) + 1}
    free_now(engine, index)


def test_tcp_that_is_to_be_cut_there_and_back(engine: Engine) -> None:
    """The header that it came with is the header that it leaves with, its checksum that of the pseudo header."""
    whole = bytes(Ether(**MACS) / IP(src="10.0.0.1", dst="10.0.0.2") / TCP(sport=1, dport=2, flags="A") / bytes(30000))
    came = header(1, 1, 54, 1448, 34, 16)
    done, index, data = taken(engine, whole, came)
    assert done
    assert data == whole
    assert int(engine.plane.pool.meta[index]["flags"]) & GSO
    again, left = given_back(engine, index)
    assert again
    assert left[:10] == came[:10]


@pytest.mark.parametrize("kind", [3, 4, 5, 0x7F])
def test_what_cannot_be_cut_is_refused(engine: Engine, kind: int) -> None:
    """UDP, IPv6 and kinds that nobody knows."""
    whole = bytes(Ether(**MACS) / IP(src="10.0.0.1", dst="10.0.0.2") / TCP() / bytes(3000))
    done, index, _ = taken(engine, whole, header(1, kind, 54, 1448, 34, 16))
    assert not done
    free_now(engine, index)
