"""A router with three interfaces for tests of NAT44's control side; a packet makes a session where one is needed."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.fib_entries import NAT
from vectorplane.backends.engine.nat44.nat44 import Nat44
from vectorplane.backends.engine.pg import PgDevice

HOST_MAC = bytes.fromhex("0200000000aa")
UDP = 17


def ip(text: str) -> int:
    return int(IPv4Address(text))


def mac_of(sw_if: int) -> bytes:
    return bytes.fromhex("02fe000000") + bytes([sw_if])


class Router:
    """pg0 to pg2 (numbers 1 to 3) with 10.0.<number>.254/24 and hosts .1 to .3; NAT44 is on."""

    def __init__(self, **options: object) -> None:
        self.engine = Engine(buffers=1024, **options)  # type: ignore[arg-type]
        for sw_if in (1, 2, 3):
            self.interface(f"pg{sw_if - 1}")
            self.engine.addresses.add(sw_if, f"10.0.{sw_if}.254/24")
            for host in (1, 2, 3):
                self.engine.neighbours.add(sw_if, f"10.0.{sw_if}.{host}", HOST_MAC, static=True)
        self.nat: Nat44 = self.engine.nat44
        self.nat.enable()

    def interface(self, name: str) -> int:
        """One more, up, without an address."""
        sw_if = max(self.engine.interfaces.by_index) + 1
        made = self.engine.interfaces.add(name, device=PgDevice(), mac=mac_of(sw_if))
        assert made.sw_if_index == sw_if
        self.engine.interfaces.set_up(sw_if)
        self.engine.interfaces.set_link(sw_if, True)
        return sw_if

    def chain(self, sw_if: int, arc: str = "ip4-unicast") -> list[str]:
        """NAT's features of an interface, and reassembly."""
        names = self.engine.plane.arcs[arc].chain(sw_if)
        return [n for n in names if "nat" in n or "reassembly" in n]

    def received(self, address: str, table: int = 0) -> int | None:
        """The interface of NAT's receive route of an address; None: there is no such route."""
        control = self.engine.routes.control
        entry = control.find(control.fib_index(table), ip(address), 32)
        return None if entry is None or NAT not in entry.sources else entry.sources[NAT].paths[0].sw_if_index

    def talk(self, sw_if: int, source: str, destination: str, port: int = 1000, to: int = 53) -> list[tuple[str, int]]:
        """A UDP packet arrives; what was sent of it: its source then, by interface."""
        frame = mac_of(sw_if) + HOST_MAC + b"\x08\x00" + udp(source, destination, port, to)
        self.engine.pg.add("one", sw_if, [frame])
        self.engine.pg.enable("one")
        self.engine.run_until(self.engine.now)
        self.engine.pg.delete("one")
        return [(str(IPv4Address(Ip4.parse(f[14:]).source)), i) for i, f in self.sent() if f[12:14] == b"\x08\x00"]

    def sent(self) -> list[tuple[int, bytes]]:
        """Frames that left, since one asked last."""
        found = []
        for sw_if, interface in self.engine.interfaces.by_index.items():
            if isinstance(interface.device, PgDevice):
                found += [(sw_if, data) for _, data in interface.device.transmitted()]
        return found

    def asks(self, sw_if: int, address: str) -> bool:
        """A host of the interface's network asks by ARP for an address: does the router answer?"""
        arp = struct.pack("!HHBBH6sI6sI", 1, 0x800, 6, 4, 1, HOST_MAC, ip(f"10.0.{sw_if}.1"), bytes(6), ip(address))
        self.engine.pg.add("arp", sw_if, [b"\xff" * 6 + HOST_MAC + b"\x08\x06" + arp])
        self.engine.pg.enable("arp")
        self.engine.run_until(self.engine.now)
        self.engine.pg.delete("arp")
        return any(i == sw_if and f[12:14] == b"\x08\x06" and f[20:22] == b"\0\2" for i, f in self.sent())

    def holders(self, table: int) -> list[int]:
        """Who wants a table; []: it is not there."""
        return self.engine.tables.holders(table)


def udp(source: str, destination: str, port: int, to: int) -> bytes:
    return bytes(Ip4(ip(source), ip(destination), UDP, struct.pack("!HHHH", port, to, 8, 0)))


@contextmanager
def router(**options: object) -> Iterator[Router]:
    it = Router(**options)
    yield it
    it.engine.close()
