"""The simulated NIC under a router: forwarding, loss, determinism, checksums, taps, clocks, workers."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from tests.backends.sim import HOST, NEXT_HOP, balanced, forwarder, mac_of, number_of, udp
from tests.naive import sim_nic as naive
from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.pcap.reader import CaptureReader
from vectorplane.pcap.writer import CaptureWriter

Frames = list[tuple[int, bytes]]


def traffic(count: int, gap: int = 500) -> Frames:
    """Frames of several sizes, some of which take other ways through the graph (options, dropped)."""
    made = []
    for i in range(count):
        made.append((1000 + i * gap, udp(i, size=(60, 90, 300, 1500, 5000)[i % 5], ttl=1 if i % 11 == 10 else 64)))
    return made


def run(frames: Frames, ports: Any = ({}, {}), **options: Any) -> tuple[Frames, dict[str, int], int]:
    """What left by port1, the drops, and the frames missed on receive."""
    engine, (first, second) = forwarder(ports, **options)
    first.inject(frames)
    engine.run()
    sent = second.transmitted()
    balanced(engine)
    rx, tx = engine.plane.if_stats["rx"].total(), engine.plane.if_stats["tx"].total()
    assert int(rx[first.sw_if_index][0]) == len(frames) - first.missed
    no_slots = engine.plane.error_counts("drops").get("port1-tx: no free tx slots", 0)
    assert int(tx[second.sw_if_index][0]) == second.sent + no_slots == len(sent) + no_slots
    assert int(engine.plane.if_stats["tx-error"].total(second.sw_if_index)) == no_slots
    result = (sent, engine.plane.error_counts("drops"), first.missed)
    engine.close()
    return result


def test_forwards_in_order_with_its_own_time() -> None:
    frames = [(1000 * i, udp(i)) for i in range(600)]
    sent, drops, missed = run(frames)
    assert [(t, number_of(f)) for t, f in sent] == [(t, i) for i, (t, _) in enumerate(frames)]
    assert all(f[:12] == NEXT_HOP + mac_of(1, 1) for _, f in sent)
    assert not drops and not missed


@pytest.mark.parametrize("rate", [None, 10**9])
def test_the_vector_size_changes_nothing(rate: int | None) -> None:
    """Line rate, full rings and the order on the wire do not depend on how packets were put into vectors."""
    frames = traffic(400)
    ports = ({}, {"line_rate": rate, "tx_ring": 16})
    whole = run(frames, ports, vector_size=256)
    assert whole == run(frames, ports, vector_size=1) == run(frames, ports, vector_size=256)
    assert bool(whole[1].get("port1-tx: no free tx slots")) == (rate is not None)


def test_line_rate_and_full_transmit_ring() -> None:
    frames = [(10 * i, udp(i, size=200)) for i in range(300)]
    sent, drops, _ = run(frames, ({}, {"line_rate": 10**9, "tx_ring": 32}))
    expected = naive.transmit([(t, 0, len(f)) for t, f in frames], 32, 10**9)
    assert [(t, number_of(f)) for t, f in sent] == [(t, i) for i, t in enumerate(expected) if t is not None]
    assert drops == {"port1-tx: no free tx slots": expected.count(None)}


def test_full_receive_ring() -> None:
    frames = [(100 * i, udp(i)) for i in range(300)]
    sent, _, missed = run(frames, ({"rx_ring": 8, "service": 350}, {}))
    taken = naive.receive([(t, 0) for t, _ in frames], 8, 350)
    assert [(t, number_of(f)) for t, f in sent] == [(t, i) for i, t in enumerate(taken) if t is not None]
    assert missed == taken.count(None) > 0


def test_a_burst_at_one_instant() -> None:
    sent, _, missed = run([(7, udp(i)) for i in range(1500)])
    assert (len(sent), missed) == (1024, 476)


def test_no_buffers_is_counted() -> None:
    """A vector of long chains asks for more buffers than there are: the rest is lost, counted, and nothing leaks."""
    engine, (first, _) = forwarder()
    first.inject([(i, udp(i, size=60_000)) for i in range(256)])
    engine.run()
    drops = engine.plane.error_counts("drops")
    lost = drops["sim-input: no buffers: packet lost on receive"]
    assert 100 < lost < 200 and sum(drops.values()) == lost  # the others were fragmented
    balanced(engine)
    engine.close()


def test_fast_has_no_time() -> None:
    ports = ({"rx_ring": 4, "service": 1000}, {"line_rate": 1000, "tx_ring": 2})
    engine, (first, second) = forwarder(ports, clock="fast")
    first.inject([(5, udp(i)) for i in range(500)])
    engine.run()
    assert [number_of(f) for _, f in second.transmitted()] == list(range(500))
    assert first.missed == 0 and not first.pending() and not second.pending()
    balanced(engine)
    engine.close()


def test_real_time() -> None:
    engine, (first, second) = forwarder(({"rx_ring": 100}, {}), clock="real")
    lost = first.inject([(0, udp(i)) for i in range(150)])
    assert (lost, first.waiting) == (50, 100)
    engine.start_real_clock(0)
    engine.run()
    assert len(second.transmitted()) == 100
    assert first.inject([(0, udp(i)) for i in range(150)]) == 50
    engine.run()
    assert len(second.transmitted()) == 100 and second.missed == 0
    balanced(engine)
    engine.close()


def test_workers_by_rss() -> None:
    """Four queues, one or two workers: the same packets, and the same bytes in two runs."""
    frames = [(t, f) for t, f in traffic(550) if f[22] != 1][:500]
    ports = ({"queues": 4}, {"queues": 4, "line_rate": 10**10})
    one = run(frames, ports)
    two = run(frames, ports, workers=2)
    assert sorted(f for _, f in one[0]) == sorted(f for _, f in two[0])
    assert two == run(frames, ports, workers=2)
    engine, (first, _) = forwarder(ports, workers=2)
    first.inject(frames)
    engine.run()
    shares = [int(engine.plane.if_stats["rx"].thread(w)[first.sw_if_index]["packets"]) for w in range(2)]
    assert sum(shares) == 500 and min(shares) > 100
    engine.close()


def test_checksums_on_receive() -> None:
    none = udp(1)
    right = with_checksum(none)
    wrong = right[:-1] + bytes([right[-1] ^ 1])
    engine, (first, _) = forwarder()
    first.inject([(1, none), (2, right), (3, wrong), (4, b"\xff" * 30), (5, right[:50])])
    records = first._rx._view(0, 5)
    assert (records["interface"] & 0xFFFF).tolist() == [12, 12, 4, 0, 0]
    engine.close()
    engine, (first, _) = forwarder(({"checksum_offload": False}, {}))
    first.inject([(2, right)])
    assert int(first._rx._view(0, 1)["interface"][0]) == 0
    engine.close()


def with_checksum(frame: bytes) -> bytes:
    """As scapy computes it."""
    from scapy.layers.inet import UDP
    from scapy.layers.l2 import Ether

    packet = Ether(frame)
    del packet[UDP].chksum
    return bytes(packet)


def test_tap(tmp_path: Path) -> None:
    """Both directions in order of time, frames that found the ring full included."""
    engine, (first, second) = forwarder(({"rx_ring": 1}, {"line_rate": 10**8}))
    first.tap(tmp_path / "first.pcap")
    second.tap(tmp_path / "second.pcap")
    first.inject([(1000, udp(1)), (1000, udp(2)), (9000, udp(3))])
    second.inject([(12_000, udp(9, mac=mac_of(1, 1)))])
    engine.run()
    sent = second.transmitted()
    engine.close()
    assert read(tmp_path / "first.pcap") == [(1000, udp(1)), (1000, udp(2)), (9000, udp(3))]
    assert len(sent) == 3
    assert read(tmp_path / "second.pcap") == sorted([*sent, (12_000, udp(9, mac=mac_of(1, 1)))])


def read(path: Path) -> Frames:
    reader = CaptureReader(path)
    frames: Frames = []
    while (window := reader.next_window()) is not None:
        for r in window.records:
            data = ctypes.string_at(window.address + int(r["offset"]), int(r["caplen"]))
            frames.append((int(r["time"]), data))
    reader.close()
    return frames


def test_kept_frames_are_bounded() -> None:
    engine, (first, second) = forwarder(({}, {"keep": 10}))
    first.inject([(i, udp(i)) for i in range(50)])
    engine.run()
    assert [number_of(f) for _, f in second.transmitted()] == list(range(40, 50))
    assert second.sent == 50 and second.transmitted() == []
    engine.close()


def test_needs_an_interface() -> None:
    assert SimNic().sw_if_index == -1


def arp_request(number: int, port: int) -> bytes:
    """Who has 10.1.PORT.1, asks 10.1.PORT.50 + NUMBER."""
    sender = HOST + bytes([10, 1, port, 50 + number])
    return b"\xff" * 6 + HOST + bytes.fromhex("08060001080006040001") + sender + bytes(6) + bytes([10, 1, port, 1])


@pytest.mark.parametrize("clock", ["virtual", "fast"])
def test_a_capture_and_a_port_together(tmp_path: Path, clock: str) -> None:
    """Two input nodes, ARP packets in both (each a barrier for the workers), one or two workers: the same packets."""
    path = tmp_path / "in.pcap"
    with CaptureWriter(path) as writer:
        for i in range(300):
            frame = arp_request(i // 60, 2) if i % 60 == 30 else udp(i, mac=mac_of(1, 2))
            writer.write(1000 + 997 * i, frame)
    results = []
    for workers in (1, 2, 2):
        engine, (first, second) = forwarder(({"queues": 2}, {"queues": 2}), clock=clock, workers=workers)
        port = engine.interfaces.add("cap", mac=mac_of(1, 2), device=CaptureDevice([path])).sw_if_index
        engine.addresses.add(port, "10.1.2.1/24")
        engine.interfaces.set_up(port)
        first.inject([(900 + 1003 * i, arp_request(i // 60, 0) if i % 60 == 29 else udp(1000 + i)) for i in range(300)])
        engine.run()
        balanced(engine)
        assert len(engine.neighbours.dump()) == 11
        results.append((second.transmitted(), len(first.transmitted())))
        engine.close()
    assert len(results[0][0]) == 590 and results[0][1] == 5
    assert sorted(results[0][0]) == sorted(results[1][0])
    assert clock == "fast" or results[1] == results[2]


@pytest.mark.parametrize("workers", [1, 2])
def test_ports_that_come_and_go(workers: int) -> None:
    """The places of ports that are gone are taken again, and nothing of what waited there is left; theirs is lost."""
    engine, (_, second) = forwarder(workers=workers)
    for i in range(20):
        nic = SimNic()
        index = engine.interfaces.add("pod", mac=mac_of(1, 7), device=nic).sw_if_index
        engine.addresses.add(index, "10.1.7.1/24")
        engine.interfaces.set_up(index)
        nic.inject([(engine.now + 10, udp(i, mac=mac_of(1, 7)))])
        engine.run()
        assert [number_of(f) for _, f in second.transmitted()] == [i]
        nic.inject([(engine.now + 10, udp(99, mac=mac_of(1, 7)))])  # still waits when the interface goes
        engine.interfaces.remove(index)
        assert nic.inject([(engine.now + 10, udp(99))]) == 1 and nic.closed
    assert int(engine.plane.graph["sim-input"].data["n_sources"][0]) == 3
    balanced(engine)
    engine.close()
