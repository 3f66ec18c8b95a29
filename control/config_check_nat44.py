"""What NAT44 says of interfaces, tables and its own pools."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.control.config_error import Path
from vectorplane.control.config_nat44 import NatRange, NatSettings

if TYPE_CHECKING:
    from vectorplane.control.config_check import Checker

_NAT: Path = ("nat44",)


def check_nat44(c: Checker) -> None:
    """All of it."""
    nat = c.config.nat44
    for _, path, port in c.all_ports():
        if port.nat is not None and nat is None:
            c.waits((*path, "nat"), "NAT44 is not switched on (nat44: {} does that)")
    if nat is None:
        return
    for name in ("inside_table", "outside_table"):
        c.table((*_NAT, name), getattr(nat, name))
    for name in ("interface_addresses", "twice_nat_interface_addresses"):
        _interfaces(c, (*_NAT, name), getattr(nat, name))
    pool = _pool(c, (*_NAT, "addresses"), nat.addresses)
    twice = _pool(c, (*_NAT, "twice_nat_addresses"), nat.twice_nat_addresses)
    _mappings(c, nat, pool, twice)
    _identities(c, nat)


def _interfaces(c: Checker, path: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        c.interface((*path, i), name)
        if name in names[:i]:
            c.fail((*path, i), f"{name} stands here twice")


def _pool(c: Checker, path: Path, ranges: list[NatRange]) -> set[IPv4Address]:
    found: set[IPv4Address] = set()
    for i, each in enumerate(ranges):
        c.table((*path, i, "table"), each.table)
        twice = sorted(found.intersection(each.addresses))
        if twice:
            c.fail((*path, i), f"{twice[0]} is in this pool already")
        found.update(each.addresses)
    return found


def _mappings(c: Checker, nat: NatSettings, pool: set[IPv4Address], twice: set[IPv4Address]) -> None:
    seen: dict[tuple[object, ...], Path] = {}
    for i, each in enumerate(nat.static):
        path: Path = (*_NAT, "static", i)
        c.interface((*path, "interface"), each.interface)
        c.table((*path, "table"), each.table)
        if each.twice_address is not None and each.twice_address not in twice:
            c.waits((*path, "twice_address"), f"{each.twice_address} is none of twice_nat_addresses")
        _once(c, seen, path, (each.interface or each.external, each.proto, each.port))
    for i, service in enumerate(nat.services):
        path = (*_NAT, "services", i)
        _once(c, seen, path, (service.external, service.proto, service.port))
        if not service.out2in_only and service.external not in pool and len(service.backends) > 1:
            c.waits((*path, "external"), f"{service.external} is none of the pool's addresses")
        places: dict[tuple[object, ...], Path] = {}
        for k, backend in enumerate(service.backends):
            here = (*path, "backends", k)
            c.table((*here, "table"), backend.table)
            _once(c, places, here, (backend.address, backend.port or service.port, nat.table(backend.table)))


def _identities(c: Checker, nat: NatSettings) -> None:
    seen: dict[tuple[object, ...], Path] = {}
    tags: dict[tuple[object, ...], str] = {}
    for i, each in enumerate(nat.identity):
        path: Path = (*_NAT, "identity", i)
        c.interface((*path, "interface"), each.interface)
        c.table((*path, "table"), each.table)
        place = (each.interface or each.address, each.proto, each.port)
        _once(c, seen, path, (*place, nat.table(each.table)))
        if each.address is not None and tags.setdefault(place, each.tag) != each.tag:  # one mapping, in all its tables
            c.fail((*path, "tag"), f"{each.address} has the tag {tags[place]!r} in another table: expected the same")


def _once(c: Checker, seen: dict[tuple[object, ...], Path], path: Path, key: tuple[object, ...]) -> None:
    if key in seen:
        c.fail(path, f"it is of the same address and port as {c.where(seen[key])}")
    seen.setdefault(key, path)
