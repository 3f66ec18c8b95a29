"""Packets as users give them: flows, hexadecimal, captures; headers as they are told. scapy is the witness."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.all import GRE, ICMP, IP, TCP, UDP, VXLAN, Dot1AD, Dot1Q, Ether, ICMPv6EchoRequest, IPv6, Raw

from tests.budget import examples
from tests.control.packet_explain.routers import explain, frame_of, lines, router
from vectorplane.backends.engine.engine import Engine
from vectorplane.control.packet_explain.flow_text import FlowError, parse_flow
from vectorplane.control.packet_explain.given import GivenError, from_capture, from_hex, parse_mac
from vectorplane.control.packet_explain.header_text import difference, summary
from vectorplane.control.packet_explain.headers import flags_of, flags_text, layers
from vectorplane.pcap.writer import CaptureWriter

A, B = "10.0.0.1", "10.0.0.2"
A6, B6 = "2001:db8::1", "2001:db8::2"


@pytest.mark.parametrize(
    ("flow", "packet"),
    [
        (f"tcp {A}:1234 -> {B}:80", IP(src=A, dst=B) / TCP(sport=1234, dport=80, seq=1, window=65535)),
        (
            f"TCP {A}:1 -> {B}:2 flags FA ttl 7",
            IP(src=A, dst=B, ttl=7) / TCP(sport=1, dport=2, flags="FA", seq=1, window=65535),
        ),
        (f"udp {A}:5 -> {B}:6 length 9", IP(src=A, dst=B) / UDP(sport=5, dport=6) / bytes(9)),
        (f"udp {A}:5 -> {B}:6 tos 8 df id 77", IP(src=A, dst=B, tos=8, flags="DF", id=77) / UDP(sport=5, dport=6)),
        (f"icmp {A} -> {B}", IP(src=A, dst=B) / ICMP(id=1, seq=1)),
        (f"icmp {A} -> {B} type 3 code 1 id 5 length 3", IP(src=A, dst=B, id=5) / ICMP(type=3, code=1) / bytes(3)),
        (f"47 {A} -> {B} length 4", IP(src=A, dst=B, proto=47) / bytes(4)),
        (f"udp {A}:1 -> {B}:2 fragment 64", IP(src=A, dst=B, frag=8, proto=17) / bytes(8)),
        (f"tcp [{A6}]:1 -> [{B6}]:2", IPv6(src=A6, dst=B6) / TCP(sport=1, dport=2, seq=1, window=65535)),
        (f"icmp6 {A6} -> {B6}", IPv6(src=A6, dst=B6) / ICMPv6EchoRequest(id=1, seq=1)),
    ],
)
def test_flows(flow: str, packet: Any) -> None:
    made = parse_flow(flow).packet()
    wanted = bytearray(bytes(packet))
    if ICMP in packet and packet[ICMP].type == 3:
        made = made[:22] + b"\0\0" + made[24:26] + b"\0\0" + made[28:]  # where scapy has no id, and so another checksum
        wanted[22:24] = wanted[24:28] = b""
        wanted[22:22] = b"\0\0"
        wanted[24:24] = made[24:28]
    assert made == bytes(wanted)


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        ("", "expected PROTOCOL SOURCE"),
        ("tcp 1.2.3.4:5 5.6.7.8:9", "expected PROTOCOL SOURCE"),
        ("tpc 1.2.3.4:5 -> 5.6.7.8:9", "expected a protocol (icmp, igmp, tcp"),
        ("256 1.2.3.4 -> 5.6.7.8", "got '256'"),
        ("tcp 1.2.3.4 -> 5.6.7.8:9", "expected 1.2.3.4:PORT with a port up to 65535, got '1.2.3.4'"),
        ("tcp 1.2.3.4:65536 -> 5.6.7.8:9", "with a port up to 65535"),
        ("tcp 1.2.3:4 -> 5.6.7.8:9", "'1.2.3' is not an IP address"),
        ("icmp 1.2.3.4:1 -> 5.6.7.8", "only tcp and udp have ports"),
        ("icmp ::1 -> ::2", "icmp does not go with IPv6"),
        ("icmp6 1.2.3.4 -> 5.6.7.8", "icmp6 does not go with IPv4"),
        ("udp 1.2.3.4:5 -> [::1]:9", "1.2.3.4 and ::1 are of two families"),
        ("udp 1.2.3.4:5 -> 5.6.7.8:9 flags S", "flags S: goes with tcp only"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 flags SX", "expected letters of FSRPAUEC"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 type 8", "goes with icmp and icmp6 only"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 ttl 256", "ttl 256: expected a number up to 255"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 ttl", "ttl what?"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 fragment 3", "expected a multiple of 8"),
        ("tcp 1.2.3.4:5 -> 5.6.7.8:9 colour red", "unknown option 'colour'; known: df, flags, type"),
    ],
)
def test_flows_that_are_none(flow: str, why: str) -> None:
    with pytest.raises(FlowError) as error:
        parse_flow(flow)
    assert why in str(error.value) and repr(flow) in str(error.value)


def test_hexadecimal() -> None:
    assert from_hex("0x01 02:03\n0a-0B,0c.ff") == bytes([1, 2, 3, 10, 11, 12, 255])
    for text, why in (
        ("0g", "'g' is no hexadecimal digit"),
        ("012", "3 digits"),
        ("", "0 digits"),
        ("00" * 65536, "65536"),
    ):
        with pytest.raises(GivenError, match=why):
            from_hex(text)
    assert parse_mac("2:0:0:0:0:1") == b"\x02\0\0\0\0\x01" and parse_mac(None) is None
    with pytest.raises(GivenError, match="mac: 'x' is not a MAC address"):
        parse_mac("x")


def test_captures(tmp_path: Path) -> None:
    path = tmp_path / "three.pcap"
    with CaptureWriter(path) as writer:
        for n in range(1, 4):
            writer.write(n * 1000, bytes([n]) * 20)
    packet, before = from_capture(path, 3)
    assert packet == (3000, b"\3" * 20, 0) and [p.time for p in before] == [1000, 2000]
    with pytest.raises(GivenError, match="there is no packet 4: it has 3"):
        from_capture(path, 4)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(GivenError, match=r"it has 2 \(.*"):
        from_capture(path, 3)


@pytest.fixture(scope="module")
def ports() -> Iterator[Engine]:
    text = """
interfaces:
  in:
    mac: 02:00:00:00:01:01
    sub_interfaces:
      5: {default: true}
      10: {}
      20: {vlan: 7, inner: 9, tag: dot1ad}
      30: {vlan: 1, inner: any}
neighbours: [{interface: in, ip: 10.0.0.1, mac: 02:00:00:00:00:aa}]
"""
    with router(text) as engine:
        yield engine


@pytest.mark.parametrize(
    ("interface", "header"),
    [
        ("in", Ether(dst="02:00:00:00:01:01", src="02:00:00:00:00:aa")),
        ("in.10", Ether(dst="02:00:00:00:01:01", src="02:fe:ff:00:00:01") / Dot1Q(vlan=10)),
        ("in.20", Ether(dst="02:00:00:00:01:01", src="02:fe:ff:00:00:01") / Dot1AD(vlan=7) / Dot1Q(vlan=9)),
        ("in.30", Ether(dst="02:00:00:00:01:01", src="02:fe:ff:00:00:01") / Dot1Q(vlan=1) / Dot1Q(vlan=1)),
        ("in.5", Ether(dst="02:00:00:00:01:01", src="02:fe:ff:00:00:01") / Dot1Q(vlan=2)),
    ],
)
def test_a_flow_has_its_interface_s_tags(ports: Engine, interface: str, header: Any) -> None:
    frame = frame_of(ports, interface, "udp 10.0.0.1:1 -> 10.0.0.2:2")
    assert frame == bytes(header / IP(parse_flow("udp 10.0.0.1:1 -> 10.0.0.2:2").packet()))
    ports.interfaces.set_up(ports.interfaces[interface].sw_if_index)
    story = explain(ports, interface, frame)
    assert story.steps[0].facts["interface"] == interface or interface == "in", lines(story, "ethernet-input")
    assert frame_of(ports, interface, "udp 10.0.0.1:1 -> 10.0.0.2:2", "ff:ff:ff:ff:ff:ff")[:6] == b"\xff" * 6


def named(packet: Any) -> list[str]:
    return [layer.name for layer in layers(bytes(packet))]


def test_layers() -> None:
    inner = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=A, dst=B) / UDP(sport=1, dport=2)
    outer = Ether() / Dot1Q(vlan=5, prio=3) / IP(src=B, dst=A, ttl=3) / UDP(sport=9, dport=4789) / VXLAN(vni=77) / inner
    found = layers(bytes(outer))
    assert [x.name for x in found] == ["ethernet", "802.1q", "ip4", "udp", "vxlan", "ethernet", "ip4", "udp"]
    assert found[1].fields == {"vlan": 5, "priority": 3} and found[4].fields == {"vni": 77}
    assert summary(bytes(outer)) == [
        f"{bytes(outer)[6:12].hex(':')} -> {bytes(outer)[:6].hex(':')} 802.1q vlan 5",
        f"udp {B}:9 -> {A}:4789, ttl 3, {len(outer) - 18} bytes",
        "vxlan vni 77",
        "02:00:00:00:00:01 -> 02:00:00:00:00:02",
        f"udp {A}:1 -> {B}:2, ttl 64, 28 bytes",
    ]
    assert named(Ether() / IP() / GRE() / IP() / TCP()) == ["ethernet", "ip4", "gre", "ip4", "tcp"]
    assert named(Ether() / IP() / GRE(key_present=1, key=7, proto=0x6558) / inner)[3:] == ["ethernet", "ip4", "udp"]
    assert named(Ether() / IP(proto=4) / IP() / ICMP()) == ["ethernet", "ip4", "ip4", "icmp"]
    assert named(Ether() / IPv6() / ICMPv6EchoRequest()) == ["ethernet", "ip6", "icmp6"]
    assert named(Ether(type=0x88CC) / Raw(b"x")) == ["ethernet", "type"]
    deep = Ether() / IP() / TCP()
    for _ in range(20):
        deep = IP(proto=4) / deep if not isinstance(deep, Ether) else IP() / TCP()
    assert len(layers(bytes(Ether() / deep))) == 12


def test_differences() -> None:
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=A, dst=B, ttl=9) / TCP(sport=1, dport=2)
    other = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:03") / IP(src=B, dst=B, ttl=9) / TCP(sport=7, dport=2)

    def told(a: Any, b: Any) -> list[str]:
        return difference(layers(bytes(a)), layers(bytes(b)))

    assert told(frame, frame) == []
    assert told(frame, other) == [
        "ethernet destination 02:00:00:00:00:02 -> 02:00:00:00:00:03",
        f"ip4 source {A} -> {B}",
        "tcp source port 1 -> 7",
    ]
    tunnelled = Ether() / IP(src=A, dst=B) / UDP(dport=4789, sport=5) / VXLAN(vni=3) / frame
    assert [line.split(" (")[0] for line in told(frame, tunnelled)] == [
        "put in front: ethernet",
        "put in front: ip4",
        "put in front: udp",
        "put in front: vxlan",
    ]
    assert [line.split(" (")[0] for line in told(tunnelled, frame)][-1] == "taken off: vxlan"
    assert told(frame, Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1Q(vlan=4) / frame.payload) == [
        "put in front: 802.1q (vlan 4)"
    ]


def test_flags() -> None:
    assert flags_text(0x12) == "SA" and flags_text(0) == "none" and flags_of("fsrpauec") == 255


@examples(300)
@given(data=st.binary(max_size=120), kind=st.sampled_from(["ethernet", "ip4", "ip6"]))
def test_any_bytes_have_headers(data: bytes, kind: str) -> None:
    assert summary(data, kind)
    assert difference(layers(data, kind), layers(data, kind)) == []


@examples(60)
@given(
    head=st.sampled_from(
        [b"\x08\0", b"\x86\xdd", b"\x08\x06", b"\x81\0\0\x05\x08\0", b"\x88\xa8\0\x05\x81\0\0\x06\x86\xdd", b"\0\x20"]
    ),
    body=st.one_of(st.binary(max_size=80), st.binary(min_size=20, max_size=80).map(lambda b: b"\x45" + b[1:])),
    group=st.booleans(),
)
def test_any_frame_is_explained(ports: Engine, head: bytes, body: bytes, group: bool) -> None:
    frame = (b"\xff" * 6 if group else ports.interfaces["in"].mac) + bytes(6) + head + body
    story = explain(ports, "in", frame)
    assert story.verdict in ("dropped", "consumed", "held", "sent") and all(p.outcome for p in story.packets)
