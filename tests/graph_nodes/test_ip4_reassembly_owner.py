"""Fragments of one datagram that arrive at different workers, in real time: one of the workers gets them all."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.graph_nodes.ip4_reassembly_memory import Limits

DATAGRAMS, PORTS = 64, (1, 2, 3)
PARTS = 3


def mac(n: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([n])


@pytest.fixture
def engine() -> Iterator[Engine]:
    """pg1 and pg2, of worker 0 and worker 1, and pg3, by which all leaves."""
    made = Engine(clock="real", workers=2, buffers=8192)
    for n in PORTS:
        made.interfaces.add(f"pg{n}", device=PgDevice(), mac=mac(n))
        made.interfaces.set_up(n)
        made.interfaces.set_link(n, True)
        made.addresses.add(n, f"10.0.{n}.1/24")
    made.neighbours.add(3, "10.0.3.2", bytes.fromhex("0200000000aa"), static=True)
    yield made
    made.close()


def send(engine: Engine, at: list[list[bytes]]) -> list[bytes]:
    """Packets by worker; what left."""
    for worker, packets in enumerate(at):
        frames = [mac(worker + 1) + bytes.fromhex("020000000001") + b"\x08\x00" + p for p in packets]
        engine.pg.add(f"worker {worker}", worker + 1, frames, worker=worker)
    engine.pg.enable()
    device = engine.interfaces[3].device
    assert isinstance(device, PgDevice)
    left: list[bytes] = []
    until = time.monotonic() + 20
    while time.monotonic() < until and len(left) < DATAGRAMS:
        engine.run_until(engine.now + 1_000_000)
        left += [data[14:] for _, data in device.transmitted()]
    return left


def fragments(number: int) -> list[bytes]:
    """Of one datagram."""
    payload = bytes([0x12, 0x34, 0, 53, 0, 72, 0, 0]) + bytes([number]) * 64
    return [
        bytes(
            Ip4(
                0x0A000102, 0x0A000302, 17, payload[24 * k : 24 * k + 24],
                id=number, offset=24 * k, more=k < PARTS - 1,
            )
        )
        for k in range(PARTS)
    ]  # fmt: skip


def test_full(engine: Engine) -> None:
    engine.reassembly.set(Limits(timeout_ms=60_000))
    for n in (1, 2):
        engine.reassembly.enable(n)
    parts = [fragments(number) for number in range(DATAGRAMS)]
    left = send(engine, [[p[0] for p in parts] + [p[2] for p in parts], [p[1] for p in parts]])
    assert sorted((int.from_bytes(p[4:6], "big"), len(p)) for p in left) == [(k, 92) for k in range(DATAGRAMS)]
    assert all(p[28:] == bytes([p[5]]) * 64 for p in left)
    assert report(engine.plane).drops == {}


def test_shallow(engine: Engine) -> None:
    for n in (1, 2):
        engine.sv_reassembly.enable(n)
    parts = [fragments(number) for number in range(DATAGRAMS)]
    left = send(engine, [[p[0] for p in parts], [p[1] for p in parts]])
    until = time.monotonic() + 20
    device = engine.interfaces[3].device
    assert isinstance(device, PgDevice)
    while time.monotonic() < until and len(left) < 2 * DATAGRAMS:
        engine.run_until(engine.now + 1_000_000)
        left += [data[14:] for _, data in device.transmitted()]
    assert len(left) == 2 * DATAGRAMS
    assert report(engine.plane).drops == {} and engine.sv_reassembly.count == DATAGRAMS
