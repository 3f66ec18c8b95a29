"""Follows a packet through items: the longest prefix, from table to table, to the interface where it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from tests.control.cluster.driver import NIC as CARD
from tests.naive.cluster_routes import ASK, DROP, HOST, LOCAL, NIC
from vectorplane.backends.items import (
    Interface,
    InterfaceAddress,
    InterfaceTable,
    Item,
    L2FibEntry,
    Neighbour,
    Path,
    Route,
)
from vectorplane.control.cluster import names

MOST_TABLES = 4
"""More lookups than that are a circle."""


class Forwarding:
    """What items make of packets."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._tables: dict[tuple[int, IPv4Network], list[Path]] = {}
        self._neighbours: dict[tuple[str, str], str] = {}
        self._macs: dict[str, str] = {}
        self._devices: dict[str, Interface] = {}
        self._pods: dict[str, str] = {}
        everything = list(items)
        tables = {i.interface: i.table for i in everything if isinstance(i, InterfaceTable)}
        for item in everything:
            if isinstance(item, Route):
                self._tables.setdefault((item.table, item.prefix), list(item.paths))  # type: ignore[arg-type]
            elif isinstance(item, Neighbour):
                self._neighbours[item.interface, str(item.address)] = item.mac
            elif isinstance(item, L2FibEntry):
                self._macs[item.mac] = item.interface
            elif isinstance(item, Interface):
                self._devices[item.name] = item
        for item in everything:  # what an interface has goes before what was told
            if isinstance(item, InterfaceAddress):
                table, address = tables.get(item.interface, 0), item.address
                self._tables[table, address.network] = [Path(interface=item.interface)]  # type: ignore[index]
                self._tables[table, IPv4Network(address.ip)] = [Path(action="local")]

    def out(self, table: int, to: IPv4Address) -> str:
        """Where it leaves, in the words of the oracle."""
        for _ in range(MOST_TABLES):
            path = self._longest(table, to)
            if path is None or path.action == "blackhole":
                return DROP
            if path.action == "local":
                return LOCAL
            if path.interface:
                return self._by(path.interface, path.via or str(to), bool(path.via))
            if path.via:  # by a next hop that is looked up itself
                assert self._by_nic(table, IPv4Address(path.via)), path
                return f"via {path.via}"
            table = path.table
        raise AssertionError(f"{to} goes round")

    def _longest(self, table: int, to: IPv4Address) -> Path | None:
        found = [(p.prefixlen, paths) for (t, p), paths in self._tables.items() if t == table and to in p]
        if not found:
            return None
        (path,) = max(found, key=lambda each: each[0])[1]
        return path

    def _by(self, interface: str, via: str, told: bool) -> str:
        if interface == names.HOST_LINK:
            return HOST
        if interface in (CARD, names.NO_NIC):
            return NIC
        mac = self._neighbours.get((interface, via))
        if mac is None:
            assert not told, f"no neighbour {via} on {interface}"
            return ASK
        if interface != names.BVI:
            return f"link {interface}"
        tunnel = self._devices[self._macs[mac]]
        ends: dict[str, Any] = dict(tunnel.options)
        assert ends["vni"] == 10 and self._by_nic(0, ends["dst"]), tunnel
        return f"via {ends['dst']}"

    def _by_nic(self, table: int, to: IPv4Address) -> bool:
        """Do the nodes' own packets reach a node?"""
        path = self._longest(table, to)
        return path is not None and path.interface == CARD
