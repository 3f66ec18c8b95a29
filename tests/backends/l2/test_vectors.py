"""In virtual time bridging gives the same bytes whatever the vector size: those of one frame after the other."""

from __future__ import annotations

import struct
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.l2.bridged import MINUTE, Bridged
from tests.budget import examples
from tests.graph_nodes.l2.frames import HOSTS, arps
from tests.naive.l2 import bridge as naive
from tests.naive.l2.tags import tag
from tests.naive.pcap_reader import read
from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.l2.bridges import BVI
from vectorplane.backends.engine.l2.tag_rewrite import DISABLED, POP_1
from vectorplane.graph_nodes.l2 import features

SECOND = 1_000_000_000
START = 10 * SECOND
VLANS = (1, 2, 3, 4)
SIZES = (1, 4, 256)
BROADCAST = b"\xff" * 6


class Step(NamedTuple):
    """A frame on a VLAN, so many ns behind the one before it."""

    wait: int
    vlan: int
    frame: bytes


class Outcome(NamedTuple):
    """What a run came to."""

    sent: list[tuple[int, bytes]]
    to_l3: Counter[int]
    drops: Counter[str]


class Trunk(Bridged):
    """A capture whose VLANs are ports: 1, 2 and 3 of domain 7, which has a BVI and forgets after a minute; 4 of 8."""

    def __init__(self, folder: Path, steps: Sequence[Step], size: int) -> None:
        super().__init__(0, vector_size=size)
        self.frames: list[tuple[int, bytes]] = []
        now = START
        for step in steps:
            now += step.wait
            self.frames.append((now, step.frame[:12] + tag(0x8100, step.vlan) + step.frame[12:]))
        self.out = folder / f"out{size}"
        path = folder / f"in{size}"
        with path.open("wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))
            for time, data in self.frames:
                f.write(struct.pack("<IIII", time // SECOND, time % SECOND, len(data), len(data)) + data)
        made = self.engine.interfaces.add("trunk", device=CaptureDevice([path], self.out))
        self.trunk = made.sw_if_index
        self.engine.interfaces.set_up(self.trunk)
        self.naive.interfaces[self.trunk] = naive.Interface(self.trunk, self.trunk, made.mac)
        self.parts = [self.add_sub(self.trunk, vlan, vlan) for vlan in VLANS]
        for index, vlan in zip(self.parts, VLANS, strict=True):
            self.attach(index, 8 if vlan == 4 else 7, shg=1 if vlan == 3 else 0)
            self.set_rewrite(index, POP_1, False, 0, 0)
        self.attach(self.add_routed("bvi"), 7, BVI)
        self.set_mac_age(7, 1)

    def flush_at(self, when: int) -> None:
        """What domain 7 has learnt is forgotten at that time."""
        self._flush_at = START + when
        self.engine.timers.at(self._flush_at, lambda now: self.engine.l2fib.flush_domain(7))

    _flush_at = -1

    def run(self) -> Outcome:
        """The engine's run."""
        self.engine.run()
        to_l3, drops = self._counters()
        self.engine.interfaces[self.trunk].device.flush()
        self.engine.interfaces[self.trunk].device.close()
        sent = [(p.time, p.data) for p in read(self.out.read_bytes()).packets]
        return Outcome(sent, +to_l3, +drops)

    def oracle(self) -> Outcome:
        """The naive bridge's, a frame at a time; timers run behind the frames of their time."""
        outcome = Outcome([], Counter(), Counter())
        timers = list(range(0, self.frames[-1][0] + 1, MINUTE))
        timers = sorted([*timers, *[self._flush_at] * (self._flush_at >= 0)])
        for time, frame in self.frames:
            while timers and timers[0] < time:
                due = timers.pop(0)
                if due == self._flush_at:
                    self.naive.flush_domain(7)
                self.naive.sweep(due // MINUTE % 256)
            result = self.naive.receive(self.trunk, frame, time // MINUTE)
            outcome.sent.extend((time, data) for _, data in result.sent)
            outcome.to_l3.update(index for index, _ in result.to_l3)
            outcome.drops.update(result.drops)
        while timers:
            due = timers.pop(0)
            if due == self._flush_at:
                self.naive.flush_domain(7)
            self.naive.sweep(due // MINUTE % 256)
        return outcome


def compare(
    steps: Sequence[Step], flush_at: int | None = None, change: Callable[[Trunk], None] = lambda trunk: None
) -> Outcome:
    """All vector sizes, and the oracle."""
    with tempfile.TemporaryDirectory() as folder:
        for size in SIZES:
            trunk = Trunk(Path(folder), steps, size)
            change(trunk)
            if flush_at is not None:
                trunk.flush_at(flush_at)
            found, wanted = trunk.run(), trunk.oracle()
            assert found.sent == wanted.sent, size
            assert (found.to_l3, found.drops) == (wanted.to_l3, wanted.drops), size
            trunk.engine.run_until(trunk.frames[-1][0])
            trunk.check_tables()
            trunk.close()
    return wanted


def frame(destination: bytes, source: bytes) -> bytes:
    return destination + source + b"\x08\0" + bytes(46)


@st.composite
def conversations(draw: st.DrawFn) -> list[Step]:
    """Hosts that talk, move and fall silent; many frames at once, pauses of seconds and of minutes."""
    steps = []
    for _ in range(draw(st.integers(1, 60))):
        wait = draw(st.sampled_from([0, 0, 0, 0, 0, 1, 1000, SECOND, 20 * SECOND, MINUTE, 3 * MINUTE]))
        source = draw(st.sampled_from(HOSTS))
        destination = draw(st.sampled_from([*HOSTS, *HOSTS, BROADCAST, bytes.fromhex("b0b000000000")]))
        data = frame(destination, source) + bytes(draw(st.sampled_from([0, 0, 0, 700, 2500])))
        if draw(st.integers(0, 7)) == 0:
            data = BROADCAST + source + b"\x08\x06" + draw(arps(source))
        steps.append(Step(wait, draw(st.sampled_from([1, 2, 3, 1, 2, 3, 4])), data))
    return steps


@examples(30)
@given(steps=conversations(), flush_at=st.sampled_from([None, 0, SECOND, 30 * SECOND, MINUTE]))
def test_random(steps: list[Step], flush_at: int | None) -> None:
    compare(steps, flush_at)


def test_a_minute_turns_within_a_vector() -> None:
    """Many stations are heard once a minute: each entry's minute is that of its last frame, and none is forgotten."""
    stations = [bytes([2, 0, 0, 0, 1, k]) for k in range(20)]
    steps = [Step(0, 1 + k % 3, frame(BROADCAST, s)) for k, s in enumerate(stations)]
    steps += [Step(50 * SECOND if k == 0 else 0, 1 + k % 3, frame(BROADCAST, s)) for k, s in enumerate(stations)]
    steps += [Step(55 * SECOND if k == 0 else 0, 2, frame(s, HOSTS[0])) for k, s in enumerate(stations)]
    wanted = compare(steps)
    assert not wanted.drops["L2 forward misses"]


def test_many_moves_in_one_vector() -> None:
    """Stations that move with every frame while others send to them."""
    steps = []
    for k in range(200):
        steps.append(Step(0, 1 + k % 3, frame(HOSTS[1], HOSTS[0])))
        steps.append(Step(0, 1 + k // 3 % 3, frame(HOSTS[0], HOSTS[1])))
    wanted = compare(steps)
    assert wanted.drops["Reflection Drop"] > 50 and len(wanted.sent) > 200


@pytest.mark.parametrize("flush_at", [0, 1, 5])
def test_a_flush_between_two_frames(flush_at: int) -> None:
    """What was learnt before it is unknown behind it, whichever vector the frames are in."""
    steps = [Step(0, 1, frame(BROADCAST, HOSTS[0]))]
    steps += [Step(1, 2, frame(HOSTS[0], HOSTS[1])) for _ in range(10)]
    wanted = compare(steps, flush_at)
    by_time = Counter(time - START for time, _ in wanted.sent)
    assert by_time == {0: 2, **{k: 1 if k <= flush_at else 2 for k in range(1, 11)}}


DIFFERENT = {
    "does not learn": lambda it: it.set_features(it.parts[0], features.LEARN, False),
    "rewrites no tags": lambda it: it.set_rewrite(it.parts[0], DISABLED, False, 0, 0),
}


@pytest.mark.xfail(strict=True, reason="frames that visit fewer nodes before l2-fwd overtake those that visit more")
@pytest.mark.parametrize("what", DIFFERENT)
def test_a_port_unlike_the_others(what: str) -> None:
    """Its second frame goes to a station that was heard between its two frames."""
    steps = [Step(0, 1, frame(HOSTS[3], HOSTS[0])), Step(0, 2, frame(BROADCAST, HOSTS[1]))]
    steps.append(Step(0, 1, frame(HOSTS[1], HOSTS[0])))
    compare(steps, change=DIFFERENT[what])
