"""Items that tests put together at random: several forms of many keys, and all that may depend on each other."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Interface, IPv6Network

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
    """A route; IPv6 if the prefix has a colon."""
    network = IPv6Network(prefix) if ":" in prefix else IPv4Network(prefix)
    return Route(network, tuple(sorted(paths)), table)


def address(interface: str, text: str) -> InterfaceAddress:
    """An address of an interface."""
    return InterfaceAddress(interface, IPv6Interface(text) if ":" in text else IPv4Interface(text))


UNIVERSE: tuple[Item, ...] = (
    Table(1),
    Table(1, name="red"),
    Table(1, flow_hash=("dst", "src")),
    Table(2),
    Table(1, ip6=True),
    Interface("a", "loopback"),
    Interface("a", "null"),
    Interface("b", "pg"),
    Interface("a.7", "pg"),
    SubInterface("a", 5, outer=5),
    SubInterface("a", 5, outer=6),
    InterfaceMac("a", "02:00:00:00:00:01"),
    InterfaceMac("a", "02:00:00:00:00:02"),
    InterfaceMtu("a", 1500),
    InterfaceMtu("a.5", 1400),
    InterfaceTable("a", 1),
    InterfaceTable("a", 2),
    InterfaceTable("b", 1),
    InterfaceTable("a", 1, ip6=True),
    InterfaceUp("a"),
    InterfaceUp("a.5"),
    InterfaceUp("a.7"),
    InterfaceUp("b"),
    address("a", "10.0.0.1/24"),
    address("a", "10.0.1.1/24"),
    address("a", "2001:db8::1/64"),
    address("a.5", "10.5.0.1/24"),
    Unnumbered("b", "a"),
    Unnumbered("b", "a.5"),
    Ip4Enabled("b"),
    route("10.8.0.0/16", Path("10.0.0.2", "a")),
    route("10.8.0.0/16", Path("10.0.0.2", "a"), Path("10.5.0.2", "a.5")),
    route("10.8.0.0/16", Path(action="blackhole")),
    route("10.9.0.0/16", Path(interface="b"), table=1),
    route("10.9.0.0/16", Path(table=2), table=1),
    route("2001:db8:1::/48", Path(interface="a"), table=1),
    Neighbour("a", IPv4Address("10.0.0.2"), "02:00:00:00:01:00"),
    Neighbour("a", IPv4Address("10.0.0.2"), "02:00:00:00:01:01"),
    Neighbour("a.5", IPv4Address("10.5.0.2"), "02:00:00:00:01:02"),
    ProxyArpRange(IPv4Address("10.7.0.1"), IPv4Address("10.7.0.9")),
    ProxyArpRange(IPv4Address("10.7.1.1"), IPv4Address("10.7.1.9"), 2),
    ProxyArpInterface("b"),
)
KEYS = tuple(dict.fromkeys(i.key for i in UNIVERSE))
