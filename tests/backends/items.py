"""One item, or several, of every kind: what both backends must take and give back."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

from vectorplane.backends.base import Backend, Operation
from vectorplane.backends.items import (
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Ip4Enabled,
    Item,
    Neighbour,
    Path,
    ProxyArpInterface,
    ProxyArpRange,
    Route,
    SubInterface,
    Table,
    Unnumbered,
)


def route(prefix: str, *paths: Path, table: int = 0) -> Route:
    """A route of either IP version."""
    network = IPv6Network(prefix) if ":" in prefix else IPv4Network(prefix)
    return Route(network, tuple(sorted(paths)), table)


def address(interface: str, text: str) -> InterfaceAddress:
    """An address of either IP version."""
    return InterfaceAddress(interface, IPv6Interface(text) if ":" in text else IPv4Interface(text))


UPS = ("in", "out", "lo0", "vrf", "un", "in.0", "out.100", "out.200", "vrf.7")
ITEMS: tuple[Item, ...] = (
    Table(10, name="blue", flow_hash=("dst", "src")),
    Table(20),
    Table(10, ip6=True, name="six"),
    Interface("in", "capture", (("promiscuous", True),)),
    Interface("out", "pg"),
    Interface("lo0", "loopback"),
    Interface("vrf", "null"),
    Interface("un", "pg"),
    SubInterface("in", 0, default=True, exact=False),
    SubInterface("out", 100, 100),
    SubInterface("out", 200, 100, 200),
    SubInterface("vrf", 7, 7, 4095, dot1ad=True, exact=False),
    InterfaceMac("out", "02:fe:00:00:00:02"),
    InterfaceMtu("out", 1500),
    InterfaceMtu("out.100", 1400),
    InterfaceTable("vrf", 10),
    InterfaceTable("vrf", 10, ip6=True),
    address("out", "10.0.0.1/24"),
    address("out", "10.0.0.5/24"),
    address("lo0", "192.168.1.1/32"),
    address("vrf", "10.0.0.1/24"),
    address("out", "2001:db8::1/64"),
    Unnumbered("un", "lo0"),
    Ip4Enabled("in"),
    Ip4Enabled("in.0"),
    ProxyArpRange(IPv4Address("10.0.0.10"), IPv4Address("10.0.0.20")),
    ProxyArpInterface("out"),
    Neighbour("out", IPv4Address("10.0.0.2"), "02:00:00:00:00:99"),
    Neighbour("out", IPv6Address("2001:db8::2"), "02:00:00:00:00:99"),
    route("0.0.0.0/0", Path("10.0.0.2", "out")),
    route("20.0.0.0/8", Path("10.0.0.2", "out", weight=3), Path("10.0.0.3", "out")),
    route("21.0.0.0/8", Path(action="blackhole")),
    route("22.0.0.0/8", Path(action="unreachable")),
    route("23.0.0.0/8", Path(action="prohibit")),
    route("24.0.0.0/8", Path(table=10)),
    route("25.0.0.0/8", Path("20.0.0.1")),
    route("26.0.0.0/24", Path("10.0.0.9", table=10)),
    route("27.0.0.0/8", Path(interface="out.100")),
    route("30.0.0.0/8", Path("10.0.0.2", "vrf"), table=10),
    route("30.1.0.0/16", Path(table=0), table=10),
    route("31.0.0.0/8", Path("10.0.0.2", "out", preference=1), Path("10.0.0.3", "out")),
    route("::/0", Path("2001:db8::2", "out")),
    route("2001:db8:1::/48", Path(action="blackhole")),
    route("2001:db8:2::/48", Path(table=10)),
    route("2001:db8:3::/48", Path("2001:db8::77")),
    route("2001:db8:4::/48", Path(interface="vrf"), table=10),
    *map(InterfaceUp, UPS),
)
"""In an order in which they can be made."""


def dump(backend: Backend) -> dict[str, Item]:
    """All that a backend holds, by key; no key may come twice."""
    found: dict[str, Item] = {}
    for kind in backend.kinds():
        for item in backend.dump(kind):
            assert item.key not in found, item
            found[item.key] = item
    return found


def bring(backend: Backend, items: tuple[Item, ...] = ITEMS) -> list[str]:
    """Create items; what was refused."""
    return [str(e) for e in backend.apply([Operation("create", item) for item in items]) if e is not None]


def take_away(backend: Backend, items: tuple[Item, ...] = ITEMS) -> list[str]:
    """Delete items, in the other order; what was refused."""
    return [str(e) for e in backend.apply([Operation("delete", item) for item in reversed(items)]) if e is not None]
