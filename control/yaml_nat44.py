"""NAT44 of a configuration as items."""

from __future__ import annotations

from collections.abc import Iterator

from vectorplane.backends import items
from vectorplane.control.config_error import Path as Field
from vectorplane.control.config_nat44 import NatBackend, NatIdentity, NatService, NatSettings, NatStatic

Found = Iterator[tuple[items.Item, Field]]
_NAT: Field = ("nat44",)


def nat44_items(nat: NatSettings) -> Found:
    """Each item and the field that says it."""
    t = nat.timeouts
    yield (
        items.Nat44(
            nat.inside_table,
            nat.outside_table,
            nat.sessions,
            nat.forwarding,
            t.udp,
            t.tcp_established,
            t.tcp_transitory,
            t.icmp,
            nat.mss,
        ),
        _NAT,
    )
    yield from _pools(nat)
    for i, static in enumerate(nat.static):
        yield _static(nat, static), (*_NAT, "static", i)
    for i, service in enumerate(nat.services):
        yield _service(nat, service), (*_NAT, "services", i)
    for i, identity in enumerate(nat.identity):
        yield _identity(nat, identity), (*_NAT, "identity", i)


def _pools(nat: NatSettings) -> Found:
    for prefix, twice in (("", False), ("twice_nat_", True)):
        for i, each in enumerate(getattr(nat, f"{prefix}addresses")):
            field: Field = (*_NAT, f"{prefix}addresses", i)
            for address in each.addresses:
                yield items.NatAddress(address, -1 if each.table is None else each.table, twice), field
        for i, name in enumerate(getattr(nat, f"{prefix}interface_addresses")):
            yield items.NatInterfaceAddress(name, twice), (*_NAT, f"{prefix}interface_addresses", i)


def _static(nat: NatSettings, s: NatStatic) -> items.NatStatic:
    port = s.port or 0
    return items.NatStatic(
        s.local,
        s.external,
        s.interface or "",
        s.proto,
        s.local_port or port,
        port,
        nat.table(s.table),
        s.twice or "",
        s.out2in_only,
        s.twice_address,
        s.tag,
    )


def _service(nat: NatSettings, s: NatService) -> items.NatService | items.NatStatic:
    """Of one backend VPP makes no service: that is a plain mapping."""
    twice = s.twice or ""
    backends = [_backend(nat, s, b) for b in s.backends]
    if len(backends) == 1:
        b = backends[0]
        return items.NatStatic(
            b.address, s.external, "", s.proto, b.port, s.port, b.table, twice, s.out2in_only, None, s.tag
        )
    return items.NatService(
        s.external, s.port, s.proto, tuple(sorted(backends)), twice, s.out2in_only, s.affinity, s.tag
    )


def _backend(nat: NatSettings, service: NatService, b: NatBackend) -> items.NatBackend:
    return items.NatBackend(b.address, b.port or service.port, b.weight, nat.table(b.table))


def _identity(nat: NatSettings, one: NatIdentity) -> items.NatIdentity:
    return items.NatIdentity(one.address, one.interface or "", one.proto, one.port or 0, nat.table(one.table), one.tag)
