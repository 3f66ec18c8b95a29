"""Nothing that comes can break a host, and every frame is counted once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.sim import checksum
from tests.backends.sim_host.lab import conserved, pair, tapped
from vectorplane.backends.engine.sim_host.checksums import transport_checksum
from vectorplane.backends.engine.sim_host.icmp_message import message
from vectorplane.backends.engine.sim_host.ip4 import build
from vectorplane.backends.engine.sim_host.sctp import packed
from vectorplane.backends.engine.sim_host.settle import settle

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])


@st.composite
def payloads(draw: st.DrawFn) -> bytes:
    """The inside of an IP packet, its checksum often right, so that what lies behind it is reached."""
    protocol = draw(st.sampled_from([1, 6, 17, 132, 47]))
    body = draw(st.binary(max_size=80))
    if protocol == 1 and len(body) > 8:
        kind = draw(st.sampled_from([0, 3, 8, 11, 12, 13]))
        if draw(st.booleans()):
            inner = build(A, B, draw(st.sampled_from([1, 6, 17, 132])), body, ident=1)
            body = bytes(8) + inner[: draw(st.integers(0, 60))]
        body = message(kind, draw(st.integers(0, 15)), body[4:8], body[8:])
    elif protocol in (6, 17) and len(body) >= 20:
        at = 16 if protocol == 6 else 6
        head = body[:4] + (len(body).to_bytes(2, "big") if protocol == 17 else body[4:6]) + body[6:]
        if protocol == 6:
            head = head[:12] + bytes([draw(st.sampled_from([0x50, 0x60, 0xF0, 0x20]))]) + head[13:]
        head = head[:at] + bytes(2) + head[at + 2 :]
        body = head[:at] + transport_checksum(B, A, protocol, head).to_bytes(2, "big") + head[at + 2 :]
    elif protocol == 132 and len(body) > 4:
        body = packed(1, draw(st.integers(1, 3)), draw(st.integers(0, 1)), body)
    packet = bytearray(build(B, A, protocol, body, ident=draw(st.integers(0, 3))))
    if draw(st.booleans()):
        packet[6:8] = draw(st.sampled_from([0x2000, 0x2001, 0x0001, 0x1FFF, 0x3FFF, 0x0008])).to_bytes(2, "big")
        packet[10:12] = bytes(2)
        packet[10:12] = checksum(bytes(packet[:20])).to_bytes(2, "big")
    return b"\x08\x00" + bytes(packet)


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A frame: noise, noise behind a header that is right, or right up to some depth."""
    arp = st.binary(max_size=40).map(lambda b: b"\x08\x06\x00\x01\x08\x00\x06\x04\x00" + b)
    raw = draw(st.one_of(st.binary(max_size=80), arp, payloads(), payloads()))
    if draw(st.integers(0, 9)) == 0:
        return raw
    mac = draw(st.sampled_from([b"\x02\xaa" + A, b"\xff" * 6, b"\x02\xaa" + A, b"\x02\xaa" + A]))
    return mac + b"\x02\xaa" + B + raw


@settings(max_examples=150, deadline=None)
@given(st.lists(frames(), max_size=12), st.booleans())
def test_no_frame_breaks_a_host(garbage: list[bytes], serves: bool) -> None:
    network, a, b = pair()
    if serves:
        a.serve_udp()
        a.serve_tcp()
        a.serve_sctp()
    waiting = [
        a.ping("10.0.0.2"),
        a.connect("10.0.0.2", 1),
        a.send_udp("10.0.0.2", 1, b"x", 1),
        a.sctp_init("10.0.0.2", 1, 1),
    ]
    for frame in garbage:
        b.send_raw(frame)
    assert settle(network, waiting) == []
    network.run()
    conserved(a, b)
    assert not a.tcp.connections


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_no_change_of_a_frame_breaks_a_connection_for_good(data: st.DataObject) -> None:
    """Frames of a real exchange, changed and repeated at will, come between its own frames."""
    network, a, b = pair()
    b.serve_tcp(80, lambda request, client: bytes(3000))
    seen = tapped(network)
    settle(network, a.connect("10.0.0.2", 80, sport=1234))
    network.run()
    frames = list(seen)
    probe = a.connect("10.0.0.2", 80, sport=1234)
    for _ in range(data.draw(st.integers(1, 8))):
        frame = bytearray(data.draw(st.sampled_from(frames)))
        if data.draw(st.booleans()):
            frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
        (b if bytes(frame[:6]) == a.mac else a).send_raw(bytes(frame))
        network.run_until(network.agenda.now + data.draw(st.integers(1, 4000)))
    settle(network, probe)
    network.run()
    assert probe.done and not a.tcp.connections and not b.tcp.connections
    conserved(a, b)
