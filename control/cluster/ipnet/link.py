"""What every interface of a node consists of."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

from vectorplane.backends.items import (
    Interface,
    InterfaceAddress,
    InterfaceMac,
    InterfaceMtu,
    InterfaceTable,
    InterfaceUp,
    Item,
    Path,
    Route,
)
from vectorplane.control.cluster.ipam.arithmetic import Ip, IpInterface, Network, alone


def link(
    interface: Interface,
    table: int,
    *,
    mac: str | None = None,
    mtu: int | None = None,
    address: IpInterface | None = None,
) -> Iterator[Item]:
    """An interface in a table, up. None: it keeps its own MAC or MTU, or has no address. ``mtu``: of L3 packets."""
    name = interface.name
    yield interface
    if mac is not None:
        yield InterfaceMac(name, mac)
    if mtu is not None:
        yield InterfaceMtu(name, mtu)
    if table:
        yield InterfaceTable(name, table)
    if address is not None:
        yield InterfaceAddress(name, address)
    yield InterfaceUp(name)


def route(table: int, to: Network | Ip, path: Path) -> Route:
    """A route with one path, to a prefix or to one address."""
    network = alone(to) if isinstance(to, IPv4Address | IPv6Address) else to
    return Route(network, (path,), table)
