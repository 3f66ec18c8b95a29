"""Routers with simulated ports, and frames for them, for the tests of the simulated NIC."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.sim_nic import SimNic

HOST = bytes.fromhex("0200000000aa")
NEXT_HOP = bytes.fromhex("0200000000bb")


def mac_of(number: int, port: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([16 * number + port])


FIRST_MAC = mac_of(1, 0)
"""Of the first port of router 1."""


def router(
    number: int = 1, ports: tuple[dict[str, Any], ...] = ({}, {}), **options: Any
) -> tuple[Engine, list[SimNic]]:
    """An engine with interfaces port0, port1 ... 10.NUMBER.K.1/24, up, each a simulated NIC."""
    engine = Engine(buffers=4096, **options)
    made = []
    for k, settings in enumerate(ports):
        nic = SimNic(**settings)
        index = engine.interfaces.add(f"port{k}", mac=mac_of(number, k), device=nic).sw_if_index
        engine.addresses.add(index, f"10.{number}.{k}.1/24")
        engine.interfaces.set_up(index)
        made.append(nic)
    return engine, made


def forwarder(ports: tuple[dict[str, Any], ...] = ({}, {}), **options: Any) -> tuple[Engine, list[SimNic]]:
    """A router that sends everything on to a static neighbour, 10.1.1.2, behind port1."""
    engine, made = router(1, ports, **options)
    engine.neighbours.add(made[1].sw_if_index, "10.1.1.2", NEXT_HOP, static=True)
    engine.routes.add("0.0.0.0/0", engine.routes.path("10.1.1.2", "port1"))
    return engine, made


def checksum(data: bytes) -> int:
    total = sum(int.from_bytes(data[i : i + 2].ljust(2, b"\0"), "big") for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def udp(
    number: int,
    *,
    size: int = 60,
    dst: str = "192.0.2.1",
    src: str = "198.51.100.7",
    mac: bytes = FIRST_MAC,
    ttl: int = 64,
) -> bytes:
    """A UDP frame of ``size`` bytes in all, its flow and its payload made from ``number``."""
    length = size - 14
    header = (
        bytes([0x45, 0])
        + length.to_bytes(2, "big")
        + (number & 0xFFFF).to_bytes(2, "big")
        + bytes([0, 0, ttl, 17, 0, 0])
    )
    header += IPv4Address(src).packed + IPv4Address(dst).packed
    header = header[:10] + checksum(header).to_bytes(2, "big") + header[12:]
    ports = (1024 + number * 101 % 60000).to_bytes(2, "big") + (53).to_bytes(2, "big")
    body = ports + (length - 20).to_bytes(2, "big") + bytes(2) + number.to_bytes(8, "big")
    return mac + HOST + b"\x08\x00" + header + body.ljust(length - 20, b"\x5a")


def number_of(frame: bytes) -> int:
    """The number that `udp` was given."""
    return int.from_bytes(frame[42:50], "big")


def balanced(*engines: Engine) -> None:
    """Every packet of these engines is accounted for, and no buffer is lost."""
    for engine in engines:
        made = report(engine.plane)
        assert made.missing == 0, made
        assert engine.plane.free_buffers() == engine.plane.pool.count
