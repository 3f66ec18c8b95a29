"""NAT44: static, load-balanced and identity mappings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.kinds.nat44 import attempt
from vectorplane.backends.engine.nat44.static_mappings import Local, Mapping
from vectorplane.backends.items import NatBackend, NatIdentity, NatService, NatStatic
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_EXACT,
    SM_IDENTITY,
    SM_LB,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_SWITCH_ADDRESS,
    SM_TWICE_NAT,
)

_TWICE = {"": 0, "twice-nat": SM_TWICE_NAT, "self-twice-nat": SM_SELF_TWICE_NAT}
_Static = tuple[int, int, int, int, int, int | None, int | None, int]


def _twice(flags: int) -> str:
    return next(name for name, bit in reversed(_TWICE.items()) if bit == 0 or flags & bit) if flags else ""


def _mode(twice: str, out2in_only: bool) -> int:
    return _TWICE[twice] | (SM_OUT2IN_ONLY if out2in_only else 0)


class NatStatics(Kind[NatStatic]):
    """See the module."""

    item = NatStatic

    def _key(self, item: NatStatic) -> _Static:
        flags = _mode(item.twice, item.out2in_only)
        flags |= SM_ADDR_ONLY if not item.local_port and not item.external_port else 0
        flags |= SM_SWITCH_ADDRESS if item.interface else 0
        flags |= SM_EXACT if item.pool else 0
        return (
            int(item.local),
            int(item.external) if item.external else 0,
            item.local_port,
            item.external_port,
            item.proto,
            item.table,
            self.index(item.interface) if item.interface else None,
            flags,
        )

    def create(self, item: NatStatic) -> None:
        """A new one."""
        attempt(self.engine.nat44.mappings.add, *self._key(item), int(item.pool) if item.pool else 0, item.tag)

    def delete(self, item: NatStatic) -> None:
        """It goes."""
        attempt(self.engine.nat44.mappings.delete, *self._key(item))

    def dump(self) -> Iterable[NatStatic]:
        """All but those that are there because of an interface's address."""
        mappings = self.engine.nat44.mappings
        resolved = mappings.resolved()
        for m in mappings:
            if not m.flags & (SM_IDENTITY | SM_LB) and m.index not in resolved:
                yield _static(m, "", m.vrf)
        for entry in mappings.to_resolve:
            if not entry.flags & SM_IDENTITY and self.name(entry.sw_if_index):
                table = self.engine.nat44.inside_vrf if entry.vrf is None else entry.vrf
                shown = Mapping(
                    -1,
                    entry.local,
                    0,
                    entry.local_port,
                    entry.external_port,
                    entry.proto,
                    0,
                    0,
                    entry.flags,
                    entry.pool_address,
                    entry.tag,
                )
                yield _static(shown, self.name(entry.sw_if_index), table)


def _static(m: Mapping, interface: str, table: int) -> NatStatic:
    return NatStatic(
        IPv4Address(m.local),
        None if interface else IPv4Address(m.external),
        interface,
        m.proto,
        m.local_port,
        m.external_port,
        table,
        _twice(m.flags & (SM_TWICE_NAT | SM_SELF_TWICE_NAT)),
        bool(m.flags & SM_OUT2IN_ONLY),
        IPv4Address(m.pool_address) if m.flags & SM_EXACT else None,
        m.tag,
    )


class NatServices(Kind[NatService]):
    """See the module."""

    item = NatService

    def create(self, item: NatService) -> None:
        """A new one."""
        attempt(
            self.engine.nat44.mappings.add_lb,
            int(item.external),
            item.port,
            item.proto,
            [_local(b) for b in item.backends],
            _mode(item.twice, item.out2in_only),
            item.tag,
            item.affinity,
        )

    def update(self, old: NatService, new: NatService) -> None:
        """Other backends: those that come first, so that two stay at any time."""
        mappings = self.engine.nat44.mappings
        for backend in sorted(set(new.backends) - set(old.backends)):
            place = (backend.address, backend.port, backend.table)
            if any((b.address, b.port, b.table) == place for b in old.backends):  # only its share is another
                attempt(mappings.set_probability, int(new.external), new.port, _local(backend), new.proto)
            else:
                attempt(mappings.add_local, int(new.external), new.port, _local(backend), new.proto)
        places = {(b.address, b.port, b.table) for b in new.backends}
        for backend in sorted(set(old.backends) - set(new.backends)):
            if (backend.address, backend.port, backend.table) not in places:
                attempt(mappings.delete_local, int(new.external), new.port, _local(backend), new.proto)

    def delete(self, item: NatService) -> None:
        """It goes."""
        flags = _mode(item.twice, item.out2in_only)
        attempt(self.engine.nat44.mappings.delete_lb, int(item.external), item.port, item.proto, flags)

    def canonical(self, item: NatService) -> NatService:
        """With its backends in order."""
        return replace(item, backends=tuple(sorted(item.backends)))

    def dump(self) -> Iterable[NatService]:
        """All."""
        for m in self.engine.nat44.mappings:
            if m.flags & SM_LB:
                backends = sorted(NatBackend(IPv4Address(b.address), b.port, b.probability, b.vrf) for b in m.locals)
                twice = _twice(m.flags & (SM_TWICE_NAT | SM_SELF_TWICE_NAT))
                only = bool(m.flags & SM_OUT2IN_ONLY)
                external = IPv4Address(m.external)
                yield NatService(external, m.external_port, m.proto, tuple(backends), twice, only, m.affinity, m.tag)


def _local(backend: NatBackend) -> Local:
    return Local(int(backend.address), backend.port, backend.probability, backend.table)


class NatIdentities(Kind[NatIdentity]):
    """See the module."""

    item = NatIdentity

    def _key(self, item: NatIdentity) -> _Static:
        flags = SM_IDENTITY | (0 if item.port else SM_ADDR_ONLY) | (SM_SWITCH_ADDRESS if item.interface else 0)
        address = int(item.address) if item.address else 0
        interface = self.index(item.interface) if item.interface else None
        return address, address, item.port, item.port, item.proto, item.table, interface, flags

    def create(self, item: NatIdentity) -> None:
        """A new one."""
        attempt(self.engine.nat44.mappings.add, *self._key(item), 0, item.tag)

    def delete(self, item: NatIdentity) -> None:
        """It goes."""
        attempt(self.engine.nat44.mappings.delete, *self._key(item))

    def dump(self) -> Iterable[NatIdentity]:
        """All but those that are there because of an interface's address."""
        mappings = self.engine.nat44.mappings
        resolved = mappings.resolved()
        for m in mappings:
            for one in m.locals if m.flags & SM_IDENTITY and m.index not in resolved else ():
                yield NatIdentity(IPv4Address(m.local), "", m.proto, m.local_port, one.vrf, m.tag)
        for entry in mappings.to_resolve:
            if entry.flags & SM_IDENTITY and self.name(entry.sw_if_index):
                table = self.engine.nat44.inside_vrf if entry.vrf is None else entry.vrf
                yield NatIdentity(
                    None, self.name(entry.sw_if_index), entry.proto, entry.external_port, table, entry.tag
                )
