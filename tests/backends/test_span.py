"""Mirrors: the engine beside the oracle, and what comes and goes under them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.naive.span import RX, TX, NaiveSpan
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.control.debug_cli.cli import DebugCli
from vectorplane.graph_nodes.span import MOST_PORTS

PORTS = (1, 2, 3, 4)
CROSSED = {1: 2, 2: 1, 3: 4, 4: 3}


class Mirrored:
    """pg0 ... pg3 (interfaces 1 to 4), cross-connected in pairs."""

    def __init__(self, **options: Any) -> None:
        self.engine = Engine(buffers=2048, **options)
        for n in range(len(PORTS)):
            index = self.engine.interfaces.add(f"pg{n}", device=PgDevice()).sw_if_index
            self.engine.interfaces.set_up(index)
            self.engine.interfaces.set_link(index, True)
        for rx, tx in CROSSED.items():
            self.engine.bridges.xconnect(rx, tx)
        self._free = self.engine.plane.free_buffers()

    def send(self, port: int, *frames: bytes) -> Counter[tuple[int, bytes]]:
        """What leaves when these arrive."""
        engine = self.engine
        engine.pg.add("frames", port, frames)
        engine.pg.enable("frames")
        engine.run_until(engine.now + 1000)
        engine.pg.delete("frames")
        left: Counter[tuple[int, bytes]] = Counter()
        for interface in engine.interfaces.by_index.values():
            if isinstance(interface.device, PgDevice):
                left.update((interface.sw_if_index, data) for _, data in interface.device.transmitted())
        assert engine.plane.free_buffers() == self._free
        assert report(engine.plane).missing == 0
        return left


@pytest.fixture
def mirrored() -> Iterator[Mirrored]:
    made = Mirrored()
    yield made
    made.engine.close()


def frame(size: int = 60, fill: int = 0xAB) -> bytes:
    """To nobody in particular."""
    return bytes.fromhex("02aaaaaaaaaa02bbbbbbbbbb0800") + bytes([fill]) * (size - 14)


changes = st.tuples(st.sampled_from(PORTS), st.sampled_from(PORTS), st.integers(0, RX | TX), st.booleans())


@settings(max_examples=60, deadline=None)
@given(
    mirrors=st.lists(changes.filter(lambda c: c[0] != c[1]), max_size=12),
    arrivals=st.lists(st.tuples(st.sampled_from(PORTS), st.integers(14, 5000), st.integers(0, 255)), max_size=6),
)
def test_every_copy(mirrors: list[tuple[int, int, int, bool]], arrivals: list[tuple[int, int, int]]) -> None:
    made, naive = Mirrored(), NaiveSpan(CROSSED)
    try:
        for source, target, state, l2 in mirrors:
            made.engine.span.set(source, target, state, l2)
            naive.set(source, target, state, l2)
        assert made.engine.span.dump() == sorted((s, t, v, l2) for (s, t, l2), v in naive.mirrors.items() if v)
        for port, size, fill in arrivals:
            assert made.send(port, frame(size, fill)) == naive.receive(port, frame(size, fill))
    finally:
        made.engine.close()


def test_a_vector_and_its_order(mirrored: Mirrored) -> None:
    frames = [frame(60 + n, n) for n in range(200)]
    mirrored.engine.span.set(1, 3, RX)
    assert mirrored.send(1, *frames) == Counter({(port, f): 1 for f in frames for port in (2, 3)})


def test_without_a_free_buffer() -> None:
    made = Mirrored()
    engine = made.engine
    engine.span.set(1, 3, RX)
    frames = [frame(9000, n & 0xFF) for n in range(256)]  # five buffers each: there are not twice as many
    left = made.send(1, *frames)
    copies = sum(n for (port, _), n in left.items() if port == 3)
    counted = engine.plane.error_counts()["span-input: no buffer for a copy"]
    assert sum(n for (port, _), n in left.items() if port == 2) == 256 and copies + counted == 256 and counted > 0
    engine.close()


def test_a_target_that_is_down(mirrored: Mirrored) -> None:
    mirrored.engine.span.set(1, 3, RX)
    mirrored.engine.interfaces.set_up(3, False)
    assert mirrored.send(1, frame()) == Counter({(2, frame()): 1})
    assert mirrored.engine.plane.error_counts("drops") == {"pg2-output: interface is down": 1}


@pytest.mark.parametrize("gone", [1, 3])
def test_an_interface_goes(mirrored: Mirrored, gone: int) -> None:
    engine = mirrored.engine
    engine.span.set(1, 3, RX | TX)
    engine.span.set(1, 3, RX, l2=True)
    engine.interfaces.remove(gone)
    assert engine.span.dump() == []
    assert engine.interfaces.add("pg9", device=PgDevice()).sw_if_index == gone
    assert engine.plane.arcs["device-input"].chain(1) == [] == engine.plane.arcs["interface-output"].chain(1)


def test_mirrors_that_cannot_be(mirrored: Mirrored) -> None:
    span = mirrored.engine.span
    with pytest.raises(ValueError, match="itself"):
        span.set(1, 1, RX)
    with pytest.raises(KeyError):
        span.set(1, 99, RX)
    tunnel = mirrored.engine.vxlan.add(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"), 5)
    with pytest.raises(ValueError, match="vxlan_tunnel0 has no output of its own"):
        span.set(tunnel.sw_if_index, 1, TX)
    for n in range(MOST_PORTS):
        mirrored.engine.interfaces.add(f"x{n}")
        span.set(1, mirrored.engine.interfaces[f"x{n}"].sw_if_index, RX)
    with pytest.raises(OverflowError, match="15 mirror ports"):
        span.set(1, 4, RX)
    assert len(span.dump()) == MOST_PORTS


def test_the_trace(mirrored: Mirrored) -> None:
    engine = mirrored.engine
    engine.span.set(1, 3, RX)
    cli = DebugCli(engine)
    cli.run("trace add pg-input 1")
    mirrored.send(1, frame())
    assert "span-input\n  SPAN: mirrored pg0 -> pg2" in cli.run("show trace")
