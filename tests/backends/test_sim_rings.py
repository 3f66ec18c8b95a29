"""Receive and transmit rings of the simulated NIC against the event-driven simulation."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.backends.sim import udp
from tests.naive import sim_nic as naive
from tests.naive.toeplitz import frame_input, toeplitz
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.rss import MICROSOFT_KEY, Rss
from vectorplane.backends.engine.sim_nic import SimNic
from vectorplane.backends.engine.sim_rx_ring import QUEUE_SHIFT
from vectorplane.backends.engine.sim_tx_ring import TxRings
from vectorplane.dataplane.abi import FAST, VIRTUAL
from vectorplane.graph_nodes.sim_tx import STAGED

quick = settings(derandomize=True, deadline=None, max_examples=30)
GAPS = st.lists(st.tuples(st.sampled_from([0, 0, 1, 5, 50, 3000]), st.integers(0, 40)), max_size=60)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    made = Engine(buffers=2048)
    yield made
    made.close()


def port(engine: Engine, **options: object) -> SimNic:
    nic = SimNic(**options)  # type: ignore[arg-type]
    engine.interfaces.add(f"p{len(engine.interfaces.by_index)}", device=nic)
    return nic


def received(nic: SimNic) -> np.ndarray:
    """The records that the port's rings hold (`sim-input` has not run)."""
    return nic._rx._view(0, int(nic._rx.state["count"]))


def queue_of(frame: bytes, queues: int) -> int:
    data = frame_input(frame)
    return 0 if data is None else (toeplitz(MICROSOFT_KEY, data) & 127) % queues


@quick
@given(GAPS, st.integers(1, 4), st.integers(1, 8), st.sampled_from([0, 1, 7, 400]), st.booleans())
def test_receive_ring(
    engine: Engine, gaps: list[tuple[int, int]], queues: int, slots: int, service: int, in_two: bool
) -> None:
    nic = port(engine, queues=queues, rx_ring=slots, service=service)
    time, frames = 0, []
    for gap, number in gaps:
        time += gap
        frames.append((time, udp(number)))
    half = len(frames) // 2 if in_two else len(frames)
    lost = nic.inject(frames[:half]) + nic.inject(frames[half:])
    numbers = [queue_of(f, queues) for _, f in frames]
    taken = naive.receive([(t, q) for (t, _), q in zip(frames, numbers, strict=True)], slots, service)
    expected = sorted((t, i, q) for i, (t, q) in enumerate(zip(taken, numbers, strict=True)) if t is not None)
    got = received(nic)
    assert [(int(r["time"]), int(r["interface"]) >> QUEUE_SHIFT) for r in got] == [(t, q) for t, _, q in expected]
    memory = nic._rx._data.bytes
    data = [bytes(memory[int(r["offset"]) : int(r["offset"]) + int(r["caplen"])]) for r in got]
    assert data == [frames[i][1] for _, i, _ in expected]
    assert lost == nic.missed == taken.count(None)


@quick
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 0, 3, 60, 1500, 40000]), st.integers(0, 2), st.integers(14, 9000)), max_size=60
    ),
    st.integers(1, 8),
    st.sampled_from([None, 10**7, 10**9, 10**11, 3_333_333_333]),
)
def test_transmit_ring(gaps: list[tuple[int, int, int]], slots: int, rate: int | None) -> None:
    rings = TxRings("test", queues=3, slots=slots, rate=rate or 0, clock=VIRTUAL)
    time, packets = 0, []
    for gap, queue, size in gaps:
        time += gap
        packets.append((time, queue, size))
    expected = [(i, t) for i, t in enumerate(naive.transmit(packets, slots, rate)) if t is not None]
    staged = np.zeros(len(packets), STAGED)
    for i, (k, (when, queue, size)) in enumerate(zip(staged, packets, strict=True)):
        k["time"], k["queue"], k["size"], k["address"] = when, queue, size, i
    cut = len(packets) // 3
    got = [(int(r["offset"]), int(r["time"])) for part in (staged[:cut], staged[cut:]) for r in rings.send(part).copy()]
    assert got == expected
    rings.close()


def test_the_wire_keeps_its_rate_exactly() -> None:
    """100,000 60-byte frames back to back at 100 Gbit/s: 6.72 ns each, no rounding error adds up."""
    rings = TxRings("test", queues=1, slots=65536, rate=10**11, clock=VIRTUAL)
    last = 0
    for _ in range(20):
        staged = np.zeros(5_000, STAGED)
        staged["size"], staged["time"] = 60, last
        last = int(rings.send(staged)["time"][-1])
    assert last == 20 * 5_000 * 672 // 100
    rings.close()


def test_fast_has_no_wire() -> None:
    rings = TxRings("test", queues=1, slots=1, rate=1000, clock=FAST)
    staged = np.zeros(100, STAGED)
    staged["time"], staged["size"] = 7, 1500
    assert set(rings.send(staged)["time"].tolist()) == {7}
    rings.close()


def test_a_wire_keeps_its_order(engine: Engine) -> None:
    nic = port(engine)
    nic.inject([(5000, udp(1))])
    nic.inject([(100, udp(2)), (6000, udp(3))])
    assert received(nic)["time"].tolist() == [5000, 5000, 6000]


def test_memory_is_used_again(engine: Engine) -> None:
    """What `sim-input` has passed makes room, whether all of it or only the first part."""
    nic = port(engine, rx_ring=65536)
    rx = nic._rx
    source = rx._sources[0]
    nic.inject([(1, udp(1)), (2, udp(2)), (3, udp(3))])
    source["position"] = 2
    before = int(rx.state["used"])
    rx.state["used"] = (1 << 28) - 70  # as if it were full
    moved = int(received(nic)["offset"][2])
    nic.inject([(4, udp(4))])
    got = received(nic)
    assert got["time"].tolist() == [3, 4]
    assert int(source["position"]) == 0 and int(source["remaining"]) == 2
    assert bytes(rx._data.bytes[int(got["offset"][0]) :][:60]) == udp(3)
    assert moved < before
    source["position"] = 2
    nic.inject([(5, udp(5))])
    assert int(rx.state["count"]) == 1 and int(rx.state["used"]) == 60


@pytest.mark.parametrize(
    "options",
    [{"queues": 0}, {"queues": 65}, {"rx_ring": 0}, {"tx_ring": 1 << 20}, {"line_rate": 0}, {"service": -1}],
)
def test_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="simulated NIC"):
        SimNic(**options)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="RSS table names 4"):
        SimNic(queues=2, rss=Rss(4))
