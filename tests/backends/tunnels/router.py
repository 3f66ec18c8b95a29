"""A router with one tunnel of any kind, frames or packets that go into it, and what comes out."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from tests.naive.ip4_packet import Ip4
from vectorplane.backends.engine.engine import Engine
from vectorplane.backends.engine.l2.bridges import LEARN
from vectorplane.backends.engine.pg import PgDevice
from vectorplane.backends.engine.report import report
from vectorplane.backends.engine.route_paths import Path
from vectorplane.backends.engine.tunnels.tunnel import TunnelDevice

KINDS = ("vxlan", "vxlan-l3", "geneve", "gre", "gre-teb", "gre-erspan", "ipip")
WITH_FRAMES = ("vxlan", "geneve", "gre-teb", "gre-erspan")
HERE, THERE, ELSEWHERE = (IPv4Address(f"10.0.0.{n}") for n in (1, 2, 3))
BRIDGE = 9


def host(interface: int, number: int) -> bytes:
    """The address of a host."""
    return bytes([2, 0, 0, 0, interface, number])


def packet(destination: str = "30.0.0.9", payload: bytes = b"payload", **fields: Any) -> bytes:
    """An IPv4 packet for the tunnel's routes."""
    return bytes(Ip4(source=0x0A000102, destination=int(IPv4Address(destination)), payload=payload, **fields))


def frame(inside: bytes = b"", kind: bytes = b"\x08\0") -> bytes:
    """A frame for nobody that the bridge knows."""
    return bytes.fromhex("02aaaaaaaaaa02bbbbbbbbbb") + kind + (inside or packet())


class Router:
    """pg0 (outer network 10.0.0.1/24) and pg1 (10.0.1.1/24), with hosts .2 and .3 on each."""

    def __init__(self, **options: Any) -> None:
        self.engine = Engine(buffers=2048, **options)
        self.pgs: list[int] = []
        for n in range(2):
            made = self.engine.interfaces.add(f"pg{n}", device=PgDevice(), mac=bytes([2, 254, 0, 0, 0, n]))
            self.pgs.append(made.sw_if_index)
            self.engine.interfaces.set_up(made.sw_if_index)
            self.engine.interfaces.set_link(made.sw_if_index, True)
            self.engine.addresses.add(made.sw_if_index, f"10.0.{n}.1/24")
            for h in (2, 3):
                self.engine.neighbours.add(made.sw_if_index, int(IPv4Address(f"10.0.{n}.{h}")), host(n, h))
        self.outer, self.inner = self.pgs
        self._at_start = self.engine.plane.free_buffers()

    # --- tunnels

    def tunnel(self, kind: str, src: IPv4Address = HERE, dst: IPv4Address = THERE, **options: Any) -> TunnelDevice:
        """One of any kind, up."""
        e = self.engine
        made: TunnelDevice
        if kind.startswith("vxlan"):
            made = e.vxlan.add(src, dst, options.pop("vni", 7), is_l3=kind.endswith("l3"), **options)
        elif kind == "geneve":
            made = e.geneve.add(src, dst, options.pop("vni", 7), **options)
        elif kind == "ipip":
            made = e.ipip.add(src, dst, **options)
        else:
            made = e.gre.add(src, dst, kind=kind.removeprefix("gre").removeprefix("-") or "l3", **options)
        e.interfaces.set_up(made.sw_if_index)
        return made

    def use(self, kind: str, tunnel: TunnelDevice, number: int = 0) -> None:
        """Bridge it with pg1, or give it an address and route 30.N.0.0/16 into it."""
        index = tunnel.sw_if_index
        if kind in WITH_FRAMES:
            if BRIDGE not in self.engine.bridges.domains:
                self.engine.bridges.create(BRIDGE)
                self.engine.bridges.set_flags(BRIDGE, LEARN, False)
                self.engine.bridges.attach(self.inner, BRIDGE)
            self.engine.bridges.attach(index, BRIDGE)
        else:
            self.engine.addresses.add(index, f"10.9.{number}.1/24")
            self.engine.routes.add(f"30.{number}.0.0/16", Path(sw_if_index=index))

    def remove(self, tunnel: TunnelDevice) -> None:
        """It goes."""
        self.engine.interfaces.remove(tunnel.sw_if_index)

    def route(self, prefix: str, next_hop: IPv4Address | None = None, interface: int = -1, **fields: Any) -> None:
        """Let a prefix have this path only."""
        path = Path(next_hop=int(next_hop) if next_hop else 0, sw_if_index=interface)
        self.engine.routes.update(prefix, path, **fields)

    # --- packets

    def into(self, kind: str, inside: bytes | None = None, number: int = 0) -> dict[int, list[bytes]]:
        """Send a frame or packet that goes into the tunnel; what leaves."""
        if kind in WITH_FRAMES:
            return self.send(self.inner, frame() if inside is None else inside)
        inside = packet(f"30.{number}.0.9") if inside is None else inside
        return self.send(self.inner, self.head(self.inner) + b"\x08\0" + inside)

    def head(self, interface: int) -> bytes:
        """The addresses of a frame from a host to the router."""
        return self.engine.interfaces[interface].mac + host(self.pgs.index(interface), 2)

    def send(self, interface: int, *frames: bytes) -> dict[int, list[bytes]]:
        """Frames arrive; what leaves, by interface."""
        self.engine.pg.add("frames", interface, list(frames))
        self.engine.pg.enable("frames")
        self.engine.run_until(self.engine.now + 1000)
        self.engine.pg.delete("frames")
        return self.left()

    def left(self) -> dict[int, list[bytes]]:
        """What was transmitted since."""
        sent: dict[int, list[bytes]] = {}
        for index in self.pgs:
            device = self.engine.interfaces[index].device
            assert isinstance(device, PgDevice)
            data = [each for _, each in device.transmitted()]
            if data:
                sent[index] = data
        return sent

    # --- counters

    def drops(self) -> dict[str, int]:
        """Why packets were dropped so far."""
        return self.engine.plane.error_counts("drops")

    def new_drops(self, before: dict[str, int]) -> dict[str, int]:
        """Since then."""
        return {k: n - before.get(k, 0) for k, n in self.drops().items() if n != before.get(k, 0)}

    def counted(self, tunnel: TunnelDevice, which: str) -> tuple[int, int]:
        """Packets and bytes of its interface."""
        packets, size = self.engine.plane.if_stats[which].total(tunnel.sw_if_index)
        return int(packets), int(size)

    def close(self) -> None:
        """Every packet is accounted for, every buffer is back."""
        assert report(self.engine.plane).missing == 0
        assert self.engine.plane.free_buffers() == self._at_start
        self.engine.close()


def outer_of(sent: dict[int, list[bytes]], interface: int) -> bytes:
    """The only frame that left, without its Ethernet header."""
    assert list(sent) == [interface] and len(sent[interface]) == 1
    return sent[interface][0][14:]
