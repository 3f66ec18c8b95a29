"""Packet headers as text: known packets, and any bytes at all."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dataplane.small_router import Router, udp
from vectorplane.backends.engine.nodes import built_in
from vectorplane.dataplane.trace_record import time_text
from vectorplane.graph_nodes import trace_formats as f
from vectorplane.graph_nodes.trace_ip4 import FRAGMENT, fragment_text, options_text, udp_text
from vectorplane.graph_nodes.trace_packet import PACKET

FUNCTIONS = (
    f.ethernet_header,
    f.ip4_header,
    f.udp_header,
    f.tcp_header,
    f.icmp_header,
    f.arp_header,
    f.hex_bytes,
    f.llc_header,
    f.snap_header,
    udp_text,
)
EXAMPLES = settings(derandomize=True, deadline=None, max_examples=100)


def ip4(protocol: int, payload: bytes, fragment: int = 0, tos: int = 0, options: bytes = b"") -> bytes:
    head = struct.pack(
        ">BBHHHBBH", 0x45 + len(options) // 4, tos, 20 + len(options) + len(payload), 7, fragment, 64, protocol, 0
    )
    head += bytes([10, 0, 0, 1, 10, 0, 0, 2]) + options
    return head[:10] + struct.pack(">H", f.ones_complement(head)) + head[12:] + payload


def test_udp_in_ethernet() -> None:
    assert f.ethernet_header(udp()).split("\n") == [
        "IP4: 02:00:00:00:00:02 -> 02:fe:00:00:00:01",
        "UDP: 1.1.1.1 -> 10.0.0.1",
        "  tos 0x00, ttl 64, length 50, checksum 0x6eb8 dscp CS0 ecn NON_ECN",
        "  fragment id 0x0001",
        "UDP: 53 -> 53",
        "  length 30, checksum 0x1234",
    ]


@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ("81000064", " 802.1q vlan 100"),
        ("8100b064", " 802.1q vlan 100 priority 5 cfi"),
        ("88a800c88100000a", " 802.1ad vlan 200 802.1q vlan 10"),
    ],
)
def test_vlan_tags(tags: str, text: str) -> None:
    frame = udp()[:12] + bytes.fromhex(tags) + udp()[12:]
    assert f.ethernet_header(frame, payload=False) == f"IP4: 02:00:00:00:00:02 -> 02:fe:00:00:00:01{text}"


def test_wrong_checksum_options_and_ecn() -> None:
    packet = bytearray(ip4(253, b"", tos=0xB9, options=b"\x94\x04\x00\x00"))
    right = packet[10:12].hex()
    packet[10:12] = b"\x12\x34"
    assert f.ip4_header(bytes(packet)).split("\n") == [
        "EXP1: 10.0.0.1 -> 10.0.0.2",
        "  version 4, header length 24",
        f"  tos 0xb9, ttl 64, length 24, checksum 0x1234 (should be 0x{right}) dscp EF ecn ECT_0".replace(
            "ECT_0", "ECT_0"
        ),
        "  fragment id 0x0007",
    ]


def test_fragments() -> None:
    first = f.ip4_header(ip4(17, bytes(8), 0x2000)).split("\n")
    assert first[2:] == ["  fragment id 0x0007, flags MORE_FRAGMENTS", "UDP: 0 -> 0", "  length 0, checksum 0x0000"]
    later = f.ip4_header(ip4(17, bytes(8), 0x4002)).split("\n")
    assert later[2:] == ["  fragment id 0x0007 offset 16, flags DONT_FRAGMENT"]


def test_tcp_with_options() -> None:
    options = bytes.fromhex("020405b4 0402 080a0000000100000002 01 030307")
    tcp = struct.pack(">HHIIBBHHH", 80, 1234, 1, 2, (20 + len(options)) // 4 << 4, 0x12, 512, 0xABCD, 0) + options
    assert f.ip4_header(ip4(6, tcp)).split("\n")[3:] == [
        "TCP: 80 -> 1234",
        "  seq. 0x00000001 ack 0x00000002",
        "  flags 0x12 SYN ACK, tcp header: 40 bytes",
        "  window 512, checksum 0xabcd",
        "  options:",
        "    mss 1460, sack permitted, timestamp 1, echo/reflected timestamp 2, window scale 7",
    ]
    assert f.tcp_header(tcp[:30]).split("\n")[-1] == "  options: truncated"
    assert f.tcp_header(tcp[:20] + b"\x02\x00" + bytes(18)).split("\n")[-1] == "  options: parsing failed"


def test_icmp() -> None:
    assert f.icmp_header(bytes.fromhex("0800c04304d20001")) == "ICMP echo_request checksum 0xc043 id 1234"
    assert f.icmp_header(bytes.fromhex("0b000001")) == "ICMP time_exceeded ttl_exceeded_in_transit checksum 0x1"
    assert f.icmp_header(bytes.fromhex("c8000001")) == "ICMP unknown 0xc8 checksum 0x1"


def test_arp() -> None:
    arp = bytes.fromhex("0001080006040001 020000000002 0a000002 000000000000 0a000001")
    frame = bytes.fromhex("ffffffffffff020000000002 0806") + arp
    assert f.ethernet_header(frame).split("\n") == [
        "ARP: 02:00:00:00:00:02 -> ff:ff:ff:ff:ff:ff",
        "request, type ethernet/IP4, address size 6/4",
        "02:00:00:00:00:02/10.0.0.2 -> 00:00:00:00:00:00/10.0.0.1",
    ]


def test_hex_lines() -> None:
    assert f.hex_bytes(bytes(32)) == "00" * 32
    assert f.hex_bytes(bytes(33)) == f"00000000: {'00' * 32}\n00000020: 00"


def test_cut_headers() -> None:
    for n in range(64):
        f.ethernet_header(udp()[:n])
    assert f.ethernet_header(b"") == "ethernet header truncated"
    assert f.ip4_header(bytes(19)) == "IP header truncated"
    assert f.ip4_header(udp()[14:38]).split("\n")[-1] == "UDP header truncated"


@pytest.mark.parametrize(
    ("ns", "text"),
    [
        (0, "00:00:00:000000"),
        (1_999, "00:00:00:000001"),
        (3_723_000_004_000, "01:02:03:000004"),
        (-5, "00:00:00:000000"),
    ],
)
def test_times(ns: int, text: str) -> None:
    assert time_text(ns) == text


@EXAMPLES
@given(data=st.binary(max_size=160))
def test_any_bytes_have_a_text(data: bytes) -> None:
    for function in FUNCTIONS:
        assert isinstance(function(data), str)
    # the same behind a header that leads there
    for protocol in (1, 6, 17):
        f.ethernet_header(bytes(12) + b"\x08\x00" + ip4(protocol, data))
    f.ethernet_header(bytes(12) + b"\x08\x06" + data)


@pytest.fixture(scope="module")
def router() -> Iterator[Router]:
    made = Router()
    yield made
    made.close()


TRACED = [t for t in built_in()[0] if t.trace is not None]


@pytest.mark.parametrize("node_type", TRACED, ids=lambda t: t.name)
def test_any_record_has_a_text(router: Router, node_type: object) -> None:
    trace = node_type.trace  # type: ignore[attr-defined]
    random = np.random.default_rng(1)
    for _ in range(30):
        record = np.frombuffer(random.bytes(trace.dtype.itemsize), trace.dtype)[0]
        assert isinstance(trace.format(record, router.plane), str)
        if trace.second is not None:
            assert isinstance(trace.second[1](record, router.plane), str)
    for value in (0, 255):
        record = np.frombuffer(bytes([value]) * trace.dtype.itemsize, trace.dtype)[0]
        trace.format(record, router.plane)


def test_llc_and_snap() -> None:
    assert f.llc_header(bytes.fromhex("aaaa03")) == "LLC snap -> snap"
    assert f.llc_header(bytes.fromhex("4243f3")) == "LLC 0x43 -> bpdu, control 0xf3"
    assert f.snap_header(bytes.fromhex("0000000800")) == "SNAP ethernet IP4"
    assert f.snap_header(bytes.fromhex("00000c2000")) == "SNAP oui 0x00000c 0x2000"
    assert (f.llc_header(b"\1"), f.snap_header(b"\1")) == ("llc header truncated", "snap header truncated")


def test_texts_of_ip4_nodes() -> None:
    packet = ip4(17, bytes.fromhex("0035003600080000"), options=b"\x94\x04\x00\x00")
    assert udp_text(packet) == "UDP: src-port 53 dst-port 54"
    assert udp_text(packet[:26]) == udp_text(b"") == "UDP header truncated"
    record = np.zeros(1, FRAGMENT)[0]
    record["mtu"], record["length"], record["size"] = 1500, 2000, 20
    assert fragment_text(record, None) == "mtu: 1500 pkt-size: 2000\n" + f.ip4_header(bytes(20))  # type: ignore[arg-type]
    kept = np.zeros(1, PACKET)[0]
    kept["size"] = 24
    kept["data"][:24] = np.frombuffer(packet[:24], np.int8)
    assert options_text(kept, None) == "  option:[0x94,0x4,0x0,0x0]"  # type: ignore[arg-type]
