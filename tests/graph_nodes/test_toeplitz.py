"""RSS: Microsoft's published vectors, the naive oracle, and the rules for what is hashed."""

from __future__ import annotations

from ipaddress import IPv4Address

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.toeplitz import frame_input, toeplitz
from vectorplane.backends.engine.rss import (
    ALL_TYPES,
    MICROSOFT_KEY,
    SYMMETRIC_KEY,
    Rss,
    classify,
    classify_window,
)
from vectorplane.dataplane.region import lent
from vectorplane.graph_nodes.toeplitz import HASH_IP4, HASH_IP4_TCP, HASH_IP4_UDP
from vectorplane.pcap.index import RECORD

# "Verifying the RSS Hash Calculation": destination, source, hash over addresses, hash with TCP ports
VECTORS = [
    ("161.142.100.80", 1766, "66.9.149.187", 2794, 0x323E8FC2, 0x51CCC178),
    ("65.69.140.83", 4739, "199.92.111.2", 14230, 0xD718262A, 0xC626B0EA),
    ("12.22.207.184", 38024, "24.19.198.95", 12898, 0xD2D0A5DE, 0x5C2B394A),
    ("209.142.163.6", 2217, "38.27.205.30", 48228, 0x82989176, 0xAFC7327F),
    ("202.188.127.2", 1303, "153.39.163.191", 44251, 0x5D1809C5, 0x10E828A2),
]


def frame(
    src: str, dst: str, protocol: int, sport: int = 0, dport: int = 0, *, flags: int = 0, options: int = 0
) -> bytes:
    header = bytes([0x45 + options, 0, 0, 40, 0, 1]) + flags.to_bytes(2, "big") + bytes([64, protocol, 0, 0])
    header += IPv4Address(src).packed + IPv4Address(dst).packed + b"\x01" * (4 * options)
    return bytes(12) + b"\x08\x00" + header + sport.to_bytes(2, "big") + dport.to_bytes(2, "big") + bytes(16)


@pytest.fixture(scope="module")
def rss() -> Rss:
    return Rss(4)


@pytest.mark.parametrize(("dst", "dport", "src", "sport", "plain", "ports"), VECTORS)
def test_microsofts_vectors(rss: Rss, dst: str, dport: int, src: str, sport: int, plain: int, ports: int) -> None:
    assert rss.hash(frame(src, dst, 6, sport, dport)) == ports
    assert rss.hash(frame(src, dst, 17, sport, dport)) == ports
    assert rss.hash(frame(src, dst, 1, sport, dport)) == plain
    assert rss.hash(frame(src, dst, 6, sport, dport, options=3)) == ports
    addresses = IPv4Address(src).packed + IPv4Address(dst).packed
    assert toeplitz(MICROSOFT_KEY, addresses) == plain


def test_fragments_hash_over_addresses(rss: Rss) -> None:
    dst, dport, src, sport, plain, _ = VECTORS[0]
    for flags in (0x2000, 0x2001, 0x0001, 0x1FFF):
        assert rss.hash(frame(src, dst, 17, sport, dport, flags=flags)) == plain
    assert rss.hash(frame(src, dst, 17, sport, dport, flags=0x4000)) != plain  # "don't fragment" is none


def test_symmetric_key() -> None:
    symmetric = Rss(4, key=SYMMETRIC_KEY)
    one = symmetric.hash(frame("10.0.0.1", "192.0.2.9", 6, 1234, 80))
    assert one == symmetric.hash(frame("192.0.2.9", "10.0.0.1", 6, 80, 1234))
    assert one != Rss(4).hash(frame("10.0.0.1", "192.0.2.9", 6, 1234, 80))


def test_types_can_be_switched_off() -> None:
    tcp_only = Rss(4, types=HASH_IP4_TCP)
    assert tcp_only.hash(frame("10.0.0.1", "10.0.0.2", 17, 1, 2)) is None
    assert tcp_only.hash(frame("10.0.0.1", "10.0.0.2", 6, 1, 2)) is not None
    no_udp = Rss(4, types=HASH_IP4 | HASH_IP4_TCP)
    assert no_udp.hash(frame("10.0.0.1", "10.0.0.2", 17, 1, 2)) == no_udp.hash(frame("10.0.0.1", "10.0.0.2", 1))


@pytest.mark.parametrize("options", [{"key": b"short"}, {"table": [0] * 127}, {"table": [-1] * 128}])
def test_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="RSS"):
        Rss(2, **options)  # type: ignore[arg-type]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    st.binary(min_size=12, max_size=12),
    st.sampled_from([b"", b"\x81\x00\x00\x07", b"\x88\xa8\x00\x01\x81\x00\x00\x02", b"\x81\x00\0\0" * 3]),
    st.sampled_from([b"\x08\x00", b"\x08\x06", b"\x86\xdd", b""]),
    st.binary(max_size=70),
    st.sampled_from([None, 0x45, 0x46, 0x4F, 0x44, 0x65]),
    st.sampled_from([6, 17, 1]),
    st.sampled_from([0, 1, 0x2000, 0x4000]),
    st.sampled_from([ALL_TYPES, HASH_IP4, HASH_IP4_UDP, HASH_IP4 | HASH_IP4_TCP]),
)
def test_against_the_oracle(
    macs: bytes, tags: bytes, kind: bytes, body: bytes, first: int | None, protocol: int, fragment: int, types: int
) -> None:
    packet = bytearray(body)
    if len(packet) >= 10 and first is not None:
        packet[0], packet[9], packet[6:8] = first, protocol, fragment.to_bytes(2, "big")
    data = macs + tags + kind + bytes(packet)
    expected = frame_input(data, bool(types & HASH_IP4_TCP), bool(types & HASH_IP4_UDP), bool(types & HASH_IP4))
    got = Rss(3, types=types).hash(data)
    assert got == (None if expected is None else toeplitz(MICROSOFT_KEY, expected))


def window(frames: list[bytes], ethertype: int = 0) -> tuple[np.ndarray, np.ndarray]:
    data = np.frombuffer(b"".join(frames) + bytes(64), np.uint8).copy()
    records = np.zeros(len(frames), RECORD)
    at = 0
    for r, f in zip(records, frames, strict=True):
        r["offset"], r["caplen"], r["wirelen"], r["ethertype"] = at, len(f), len(f), ethertype
        at += len(f)
    return data, records


def test_classify_a_window() -> None:
    frames = [frame(f"10.0.{i >> 8}.{i & 255}", "192.0.2.1", 17, i * 97, 53) for i in range(500)]
    back = [frame("192.0.2.1", f"10.0.{i >> 8}.{i & 255}", 17, 53, i * 97) for i in range(500)]
    queues = []
    for some in (frames, back, [f[14:] for f in frames]):
        data, records = window(some, 0x0800 if len(some[0]) < 50 else 0)
        with lent(data) as (address,):
            classify_window(address, records, 4)
        queues.append(records["queue"].tolist())
    assert queues[0] == queues[1] == queues[2]
    assert set(queues[0]) == {0, 1, 2, 3}
    data, records = window([bytes(12) + b"\x08\x06" + bytes(28), b"", bytes(60)])
    records["queue"] = 9
    with lent(data) as (address,):
        classify_window(address, records, 4)
    assert records["queue"].tolist() == [0, 0, 0]


def test_the_table_decides() -> None:
    data, records = window([frame(f"10.0.0.{i}", "192.0.2.1", 17, i, 53) for i in range(50)])
    rss = Rss(4, table=[3] * 128)
    with lent(data, records) as (address, base):
        assert classify(address, base, len(records), rss.address) == 50
    assert set(records["queue"].tolist()) == {3}


def test_the_queue_of_one_frame() -> None:
    frames = [
        *(frame(f"10.0.0.{i}", "192.0.2.1", 17, i, 53) for i in range(50)),
        bytes(12) + b"\x08\x06" + bytes(28),
        b"",
    ]
    data, records = window(frames)
    rss = Rss(3)
    with lent(data, records) as (address, base):
        classify(address, base, len(records), rss.address)
    places = [rss.queue_of(f) for f in frames]
    assert [queue for queue, _ in places] == records["queue"].tolist()
    assert [entry for _, entry in places] == (records["interface"] >> 16).tolist()
    assert places[-2:] == [(0, 0), (0, 0)]
