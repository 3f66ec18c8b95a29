"""The packet generator: its interfaces and modes, streams of capture files, captures of what is transmitted."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw
from scapy.utils import PcapReader, rdpcap, wrpcap

from tests.parity_engine import balance
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.interfaces import Interface
from vectorplane.backends.engine.pg import PacketGenerator, PgDevice
from vectorplane.backends.engine.pg_capture import MAX_BYTES
from vectorplane.pcap.errors import CaptureError

HOST = "02:00:00:00:00:02"
MS = 1_000_000


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine(buffers=8192)
    yield made
    balance(made)
    made.close()


def port(engine: Engine, number: int, mode: str = "ethernet", **options: int) -> Interface:
    """``pgN`` with 10.0.N.1/24, up, and 10.0.N.2 behind it."""
    made = engine.pg.create_interface(number, mode, keep=1000, **options)
    engine.addresses.add(made.sw_if_index, f"10.0.{number}.1/24")
    engine.interfaces.set_up(made.sw_if_index)
    if made.device.ethernet:
        engine.neighbours.add(made.sw_if_index, f"10.0.{number}.2", bytes.fromhex(HOST.replace(":", "")))
    return made


def run(engine: Engine) -> None:
    """All streams, to their end."""
    engine.pg.enable()
    engine.run_until(engine.now + 5 * MS)
    assert not engine.pg.active()


def sent(interface: Interface) -> list[bytes]:
    """What it put out."""
    assert isinstance(interface.device, PgDevice)
    return [frame for _, frame in interface.device.transmitted()]


def ip(to: str, size: int = 40) -> IP:
    """A UDP packet."""
    return IP(src="10.0.0.2", dst=to) / UDP(sport=1, dport=2) / Raw(bytes(size))


def frame(into: Interface, packet: IP) -> bytes:
    """It, in an Ethernet frame to an interface."""
    return bytes(Ether(dst=into.mac.hex(":"), src=HOST) / packet)


# --- interfaces


def test_interfaces_by_number(engine: Engine) -> None:
    made = engine.pg.create_interface(3)
    assert (made.name, made.device.kind, made.device.default_mtu) == ("pg3", "pg", 9000)
    assert engine.pg.create_interface(3, "ip4") is made, "as in VPP whatever the mode"
    tun = engine.pg.create_interface(4, "ip4", mac=b"\1" * 6)
    assert (tun.mac, engine.interfaces.mtus(tun.sw_if_index)) == (bytes(6), (0, 0, 0, 0))
    with pytest.raises(ValueError, match="'ip5' is not one of ethernet, ip4, ip6"):
        engine.pg.create_interface(5, "ip5")
    other = engine.interfaces.add("eth")
    for call in (engine.pg.delete_interface, engine.pg.device, engine.pg.capture_stop):
        with pytest.raises(KeyError, match="eth is no packet-generator interface"):
            call(other.sw_if_index)
    engine.pg.delete_interface(made.sw_if_index)
    assert "pg3" not in engine.plane.interfaces.by_name


def test_ip_mode(engine: Engine) -> None:
    """No header comes and none goes; everybody in its prefix is at the other end, nobody is asked for."""
    eth, tun = port(engine, 0), port(engine, 1, "ip4")
    engine.pg.add("in", tun.sw_if_index, [bytes(ip("10.0.0.2"))] * 2)
    run(engine)
    assert [Ether(f)[IP].ttl for f in sent(eth)] == [63, 63] and sent(tun) == []
    engine.pg.delete("in")
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip(f"10.0.1.{k}")) for k in (2, 99)])
    run(engine)
    out = [IP(f) for f in sent(tun)]
    assert [(p.dst, p.ttl, p[UDP].dport) for p in out] == [("10.0.1.2", 63, 2), ("10.0.1.99", 63, 2)]
    assert engine.plane.error_counts() == {}
    engine.neighbours.add(tun.sw_if_index, "10.0.1.2", b"\1" * 6)
    run(engine)
    assert len(sent(tun)) == 2, "a neighbour makes no difference"


def test_checksum_offload(engine: Engine) -> None:
    """The stream's checksums are left to the transmitting interface."""
    eth, card = port(engine, 0), port(engine, 1, checksum_offload=True)
    packet = IP(src="10.0.1.2", dst="10.0.0.2") / UDP(sport=1, dport=2, chksum=0) / Raw(b"abc")
    engine.pg.add("in", card.sw_if_index, [frame(card, packet)])
    run(engine)
    (out,) = (Ether(f) for f in sent(eth))
    right = Ether(bytes(Ether(bytes(out))))
    del right[UDP].chksum
    assert out[UDP].chksum and out[UDP].chksum == Ether(bytes(right))[UDP].chksum


def test_segmentation_offload(engine: Engine, tmp_path: Path) -> None:
    """TCP that a card is to cut passes by the MTU; who cannot cut it counts that, and captures 9,216 bytes of it."""
    card, eth = port(engine, 0, gso_size=1400), port(engine, 1)
    large = IP(src="10.0.0.2", dst="10.0.1.2", flags="DF") / TCP() / Raw(b"\xa5" * 65000)
    engine.pg.add("in", card.sw_if_index, [frame(card, large)] * 3)
    engine.pg.capture(eth.sw_if_index, tmp_path / "out.pcap")
    run(engine)
    with PcapReader(str(tmp_path / "out.pcap")) as reader:
        records = list(reader)
    assert [(len(p), p.wirelen) for p in records] == [(MAX_BYTES, 65054)] * 3
    assert engine.plane.error_counts() == {"pg1-tx: gso disabled on itf  -- gso packet drop": 3}
    small = port(engine, 2, gso_size=8999)
    engine.pg.delete("in")
    engine.pg.add("in", small.sw_if_index, [frame(small, large)])
    run(engine)
    assert engine.plane.error_counts()["ip4-input: ip4 MTU exceeded and DF set"] == 1, "9,039 bytes a packet"


# --- streams


def test_a_stream_of_a_capture_file(engine: Engine, tmp_path: Path) -> None:
    eth, out = port(engine, 0), port(engine, 1)
    path = tmp_path / "in.pcap"
    packets = [frame(eth, ip("10.0.1.2", size)) for size in (10, 3000, 20)]
    wrpcap(str(path), [Ether(p) for p in packets])
    stream = engine.pg.add_pcap("x", eth.sw_if_index, path)
    assert (stream.limit, stream.sent, stream.sizes, stream.active) == (3, 0, (52, 3042), False)
    engine.pg.enable("x")
    assert engine.pg.active("x")
    run(engine)
    assert stream.sent == 3 and [len(f) for f in sent(out)] == [52, 3042, 62]
    engine.pg.add_pcap("x", eth.sw_if_index, path, limit=7, max_frame=2)
    assert list(engine.pg.streams) == ["x"], "one of the same name takes its place"
    run(engine)
    assert [len(f) for f in sent(out)] == [52, 3042, 62] * 2 + [52]


def test_capture_files_of_ip_packets(engine: Engine, tmp_path: Path) -> None:
    """As they are into an interface of mode ip4; in frames to its address into an Ethernet one."""
    eth, tun, out = port(engine, 0), port(engine, 1, "ip4"), port(engine, 2)
    path = tmp_path / "in.pcap"
    wrpcap(str(path), [ip("10.0.2.2")])
    for k, interface in enumerate((eth, tun)):
        engine.pg.add_pcap(f"s{k}", interface.sw_if_index, path)
    run(engine)
    assert len(sent(out)) == 2


def test_bad_capture_files(engine: Engine, tmp_path: Path) -> None:
    eth = port(engine, 0)
    (tmp_path / "text").write_text("no capture at all")
    wrpcap(str(tmp_path / "cut"), [Ether(frame(eth, ip("10.0.1.2")))])
    os.truncate(tmp_path / "cut", 60)
    for name in ("text", "cut", "missing"):
        with pytest.raises(CaptureError, match=name):
            engine.pg.add_pcap("x", eth.sw_if_index, tmp_path / name)
    wrpcap(str(tmp_path / "empty"), [])
    with pytest.raises(ValueError, match="no packets"):
        engine.pg.add_pcap("x", eth.sw_if_index, tmp_path / "empty")
    with pytest.raises(KeyError, match="no interface 99"):
        engine.pg.add_pcap("x", 99, tmp_path / "cut")
    assert engine.pg.streams == {}


def test_starting_a_stream_brings_its_interface_up(engine: Engine) -> None:
    """As in VPP, link and all."""
    eth, out = port(engine, 0), port(engine, 1)
    engine.interfaces.set_up(eth.sw_if_index, False)
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip("10.0.1.2"))])
    run(engine)
    assert engine.interfaces.is_up(eth.sw_if_index) and len(sent(out)) == 1
    engine.interfaces.set_link(eth.sw_if_index, False)
    run(engine)
    assert engine.interfaces.link_is_up(eth.sw_if_index)


def test_starting_nothing(engine: Engine) -> None:
    engine.pg.enable()
    engine.pg.disable()
    assert not engine.pg.active()
    calls = (PacketGenerator.enable, PacketGenerator.disable, PacketGenerator.active, PacketGenerator.delete)
    for call in calls:
        with pytest.raises(KeyError, match="nobody"):
            call(engine.pg, "nobody")


def test_an_endless_stream_is_active_until_it_is_stopped(engine: Engine) -> None:
    eth = port(engine, 0)
    stream = engine.pg.add("in", eth.sw_if_index, [b"x" * 60], limit=0)
    engine.pg.enable()
    assert engine.pg.active()
    engine.pg.disable("in")
    assert not engine.pg.active() and stream.sent == 0


# --- captures of what is transmitted


def test_a_capture_file_is_made_with_the_first_packet(engine: Engine, tmp_path: Path) -> None:
    """It has all packets as soon as no stream is active; a file that is there is not touched."""
    eth, out = port(engine, 0), port(engine, 1)
    path = tmp_path / "out.pcap"
    engine.pg.capture(out.sw_if_index, path)
    assert not path.exists()
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip("10.0.1.2"))] * 300)
    run(engine)
    assert len(rdpcap(str(path))) == 300
    run(engine)
    assert len(rdpcap(str(path))) == 600 and sent(out) == []
    engine.pg.capture_stop(out.sw_if_index)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"out.pcap' already exists"):
        engine.pg.capture(out.sw_if_index, path)
    run(engine)
    assert path.read_bytes() == before and len(sent(out)) == 300


def test_a_capture_of_so_many_packets(engine: Engine, tmp_path: Path) -> None:
    eth, out = port(engine, 0), port(engine, 1)
    engine.pg.capture(out.sw_if_index, tmp_path / "out.pcap", count=3)
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip("10.0.1.2", k)) for k in range(2)], max_frame=1)
    for _ in range(3):
        run(engine)
    assert [len(p) for p in rdpcap(str(tmp_path / "out.pcap"))] == [42, 43, 42]


def test_link_types(engine: Engine, tmp_path: Path) -> None:
    """1 for Ethernet, VPP's 12 where there are only IP packets."""
    eth, tun = port(engine, 0), port(engine, 1, "ip4")
    paths = [tmp_path / "eth", tmp_path / "tun"]
    for interface, path in zip((eth, tun), paths, strict=True):
        engine.pg.capture(interface.sw_if_index, path)
    engine.pg.add("a", eth.sw_if_index, [frame(eth, ip("10.0.1.2"))])
    engine.pg.add("b", tun.sw_if_index, [bytes(ip("10.0.0.2"))])
    run(engine)
    assert [p.read_bytes()[20] for p in paths] == [1, 12]
    assert isinstance(rdpcap(str(paths[1]))[0], IP)


def test_a_capture_that_cannot_be_written(engine: Engine, tmp_path: Path) -> None:
    """Nothing else suffers."""
    eth, out = port(engine, 0), port(engine, 1)
    engine.pg.capture(out.sw_if_index, tmp_path / "missing" / "out.pcap")
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip("10.0.1.2"))])
    run(engine)
    capture = engine.pg.device(out.sw_if_index).capture
    assert capture is not None and "No such file" in capture.error
    engine.pg.capture_stop(out.sw_if_index)
    run(engine)
    assert len(sent(out)) == 1


def test_a_removed_interface_leaves_a_whole_file(engine: Engine, tmp_path: Path) -> None:
    eth, out = port(engine, 0), port(engine, 1)
    engine.pg.capture(out.sw_if_index, tmp_path / "out.pcap")
    engine.pg.add("in", eth.sw_if_index, [frame(eth, ip("10.0.1.2"))] * 2)
    engine.pg.enable()
    engine.run_until(engine.now + MS)
    engine.pg.delete_interface(out.sw_if_index)
    assert len(rdpcap(str(tmp_path / "out.pcap"))) == 2
