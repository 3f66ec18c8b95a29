"""Each packet carries its own time (rule 7): timers between two packets fire between them, whatever the vector size."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.dataplane.feature import Feature
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.python_node import PythonPacket

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START = 1_700_000_000 * SECOND
FRAME = bytes.fromhex("02fe0000000102000000000286dd") + bytes(46)
ARP = bytes.fromhex("ffffffffffff0200000000020806") + bytes(46)


def capture(path: Path, packets: list[tuple[int, bytes]]) -> Path:
    """A nanosecond pcap."""
    with path.open("wb") as f:
        f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
        for time, data in packets:
            f.write(struct.pack("<IIII", time // SECOND, time % SECOND, len(data), len(data)) + data)
    return path


class Watch:
    """An engine whose packets pass a node of plain Python on their way in; it writes down what it sees, and when."""

    def __init__(self, path: Path, vector_size: int) -> None:
        self.seen: list[tuple[str, int]] = []
        self.vectors: list[int] = []
        self.engine = Engine(vector_size=vector_size)
        watch = NodeType(
            "watch", python=self.look, nexts=("ethernet-input", "error-drop"), features=(Feature("device-input"),)
        )
        self.engine.plane.graph.registry.add(watch)
        interface = self.engine.interfaces.add("in", device=CaptureDevice([path]), promiscuous=True)
        self.engine.interfaces.set_up(interface.sw_if_index)
        self.engine.plane.arcs["device-input"].enable(interface.sw_if_index, "watch")

    def look(self, packets: list[PythonPacket]) -> None:
        """The node."""
        self.seen += [("arp" if p.data[12:14] == b"\x08\x06" else "packet", p.time - START) for p in packets]
        self.vectors.append(len(packets))

    def timer(self, when: int) -> None:
        """A timer that writes down its time."""
        self.engine.timers.at(START + when, lambda now: self.seen.append(("timer", now - START)))


TIMES = [0, 1, MINUTE, MINUTE + 5, 30 * MINUTE, 30 * MINUTE, 90 * MINUTE]


@pytest.mark.parametrize("size", [1, 7, 256])
def test_timers_fire_between_packets(tmp_path: Path, size: int) -> None:
    w = Watch(capture(tmp_path / "a.pcap", [(START + t, FRAME) for t in TIMES]), size)
    for when in (10 * MINUTE, 30 * MINUTE, 30 * MINUTE - 1, MINUTE + 1, 200 * MINUTE):
        w.timer(when)
    w.engine.run()
    timers = [("timer", t) for t in (MINUTE + 1, 10 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE)]
    packets = [("packet", t) for t in TIMES]
    # at the same nanosecond a packet comes before a timer
    assert w.seen == sorted(packets + timers, key=lambda e: (e[1], e[0] == "timer"))
    assert w.engine.now == START + 90 * MINUTE, "timers alone do not keep a run going"
    w.engine.run_until(START + 300 * MINUTE)
    assert w.seen[-1] == ("timer", 200 * MINUTE) and w.engine.now == START + 300 * MINUTE
    w.engine.close()


def test_one_vector_spans_hours(tmp_path: Path) -> None:
    """Without a timer between them they travel together, each with its own time."""
    w = Watch(capture(tmp_path / "a.pcap", [(START + t, FRAME) for t in TIMES]), 256)
    w.engine.run()
    assert w.seen == [("packet", t) for t in TIMES] and w.vectors == [len(TIMES)]
    w.engine.close()


def test_a_timer_that_sets_the_next(tmp_path: Path) -> None:
    w = Watch(capture(tmp_path / "a.pcap", [(START + t, FRAME) for t in TIMES]), 256)

    def again(now: int) -> None:
        w.seen.append(("timer", now - START))
        w.engine.timers.at(now + 20 * MINUTE, again)

    w.engine.timers.at(START + 20 * MINUTE, again)
    w.engine.run()
    assert [t for kind, t in w.seen if kind == "timer"] == [20 * MINUTE, 40 * MINUTE, 60 * MINUTE, 80 * MINUTE]
    assert w.seen == sorted(w.seen, key=lambda e: e[1])
    w.engine.close()


def test_arp_travels_alone(tmp_path: Path) -> None:
    packets = [FRAME, FRAME, ARP, FRAME, ARP, ARP, FRAME]
    w = Watch(capture(tmp_path / "a.pcap", [(START + i, p) for i, p in enumerate(packets)]), 256)
    w.engine.run()
    assert [k for k, _ in w.seen] == ["arp" if p is ARP else "packet" for p in packets]
    assert w.vectors == [2, 1, 1, 1, 1, 1]
    w.engine.close()


def test_several_captures_are_one_time_line(tmp_path: Path) -> None:
    results = []
    for size in (1, 7, 256):
        one = capture(tmp_path / f"one{size}", [(START + t * MINUTE, FRAME) for t in (0, 3, 3, 9)])
        two = capture(tmp_path / f"two{size}", [(START + t * MINUTE, ARP) for t in (1, 3, 8, 20)])
        w = Watch(one, size)
        other = w.engine.interfaces.add("other", device=CaptureDevice([two]), promiscuous=True)
        w.engine.interfaces.set_up(other.sw_if_index)
        w.engine.plane.arcs["device-input"].enable(other.sw_if_index, "watch")
        w.engine.run()
        results.append(w.seen)
        w.engine.close()
    line = [(0, "packet"), (1, "arp"), (3, "packet"), (3, "packet"), (3, "arp"), (8, "arp"), (9, "packet"), (20, "arp")]
    assert results == [[(k, t * MINUTE) for t, k in line]] * 3


def test_what_leaves_has_the_time_it_came_with(tmp_path: Path) -> None:
    """Packets that are sent on by a node of this test keep their times, in order."""
    path = capture(tmp_path / "a.pcap", [(START + t, FRAME) for t in TIMES])
    for size in (1, 256):
        engine = Engine(vector_size=size)

        def forward(packets: list[PythonPacket]) -> None:
            for p in packets:
                p.next, p.tx_sw_if = "out-output", 1

        node = NodeType(
            "forward", python=forward, nexts=("error-drop", "out-output"), features=(Feature("device-input"),)
        )
        out = PgDevice()
        engine.interfaces.set_up(engine.interfaces.add("out", device=out).sw_if_index)
        engine.plane.graph.registry.add(node)
        index = engine.interfaces.add("in", device=CaptureDevice([path])).sw_if_index
        engine.interfaces.set_up(index)
        engine.plane.arcs["device-input"].enable(index, "forward")
        engine.run()
        assert out.transmitted() == [(START + t, FRAME) for t in TIMES]
        engine.close()
