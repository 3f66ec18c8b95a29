"""NAT44: static, load-balanced and identity mappings; messages ``nat44_...``.

VPP does not tell everything of what it has: neither the pool address of a mapping nor the affinity of a service. They
are not compared then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.base import BackendError, CannotUpdate
from vectorplane.backends.items import NAT_TWICE, NatBackend, NatIdentity, NatService, NatStatic
from vectorplane.backends.vpp.kinds.kind import Kind, Steps
from vectorplane.backends.vpp.kinds.nat44 import (
    ADDR_ONLY,
    NONE,
    OUT2IN_ONLY,
    SELF_TWICE_NAT,
    TWICE_NAT,
    first_address,
)

_TWICE = dict(zip(NAT_TWICE, (0, TWICE_NAT, SELF_TWICE_NAT), strict=True))
_NO_ADDRESS = bytes(4)
FEWEST_BACKENDS = 2
"""A service has at least as many."""


def _mode(twice: str, out2in_only: bool) -> int:
    if twice not in _TWICE:
        raise BackendError(f"twice-NAT is one of {', '.join(filter(None, _TWICE))}, not {twice}")
    return _TWICE[twice] | (OUT2IN_ONLY if out2in_only else 0)


def _twice(flags: int) -> str:
    return "twice-nat" if flags & TWICE_NAT else "self-twice-nat" if flags & SELF_TWICE_NAT else ""


def _inside(kind: Kind[Any]) -> int:
    connection = kind.link.connection
    return int(connection.finish(connection.send("nat44_show_running_config")).inside_vrf)


def _table(vrf: int, inside: int) -> int:
    return inside if vrf == NONE else vrf


class NatStatics(Kind[NatStatic]):
    """See the module."""

    item = NatStatic
    title = "NAT static mappings"
    messages = (("nat44_add_del_static_mapping_v2",), ("nat44_static_mapping_dump",))

    def create(self, item: NatStatic) -> Steps:
        """A new one."""
        yield self._message(item, True)

    def delete(self, item: NatStatic) -> Steps:
        """It goes."""
        yield self._message(item, False)

    def _message(self, item: NatStatic, on: bool) -> Any:
        plain = not item.local_port and not item.external_port
        return "nat44_add_del_static_mapping_v2", {
            "is_add": on,
            "match_pool": item.pool is not None,
            "flags": _mode(item.twice, item.out2in_only) | (ADDR_ONLY if plain else 0),
            "pool_ip_address": item.pool.packed if item.pool else _NO_ADDRESS,
            "local_ip_address": item.local.packed,
            "external_ip_address": item.external.packed if item.external else _NO_ADDRESS,
            "protocol": item.proto,
            "local_port": item.local_port,
            "external_port": item.external_port,
            "external_sw_if_index": self.index(item.interface) if item.interface else NONE,
            "vrf_id": item.table,
            "tag": item.tag,
        }

    def canonical(self, item: NatStatic) -> NatStatic:
        """Without what VPP does not tell."""
        return replace(item, pool=None)

    def dump(self) -> Iterable[NatStatic]:
        """All, each once: those of an interface's address are listed a second time with that address."""
        self.link.interfaces.refresh()
        inside = _inside(self)
        details = list(self.link.connection.details("nat44_static_mapping_dump"))
        resolved = {}
        for d in details:
            if d.external_sw_if_index != NONE:
                first = first_address(self, d.external_sw_if_index)
                resolved[first, d.protocol, d.external_port] = d
        flags_of = {}
        plain = []
        for d in details:
            if d.external_sw_if_index == NONE:
                key = (IPv4Address(bytes(d.external_ip_address)), d.protocol, d.external_port)
                if key in resolved:
                    flags_of[id(resolved[key])] = d.flags
                else:
                    plain.append(d)
        for d in plain:
            yield _static(d, IPv4Address(bytes(d.external_ip_address)), "", d.flags, inside)
        for d in resolved.values():
            name = self.link.interfaces.name(d.external_sw_if_index)
            if name is not None:
                yield _static(d, None, name, flags_of.get(id(d), d.flags), inside)


def _static(d: Any, external: IPv4Address | None, interface: str, flags: int, inside: int) -> NatStatic:
    return NatStatic(
        IPv4Address(bytes(d.local_ip_address)),
        external,
        interface,
        d.protocol,
        d.local_port,
        d.external_port,
        _table(d.vrf_id, inside),
        _twice(flags),
        bool(flags & OUT2IN_ONLY),
        None,
        str(d.tag),
    )


class NatServices(Kind[NatService]):
    """See the module."""

    item = NatService
    title = "NAT services"
    messages = (
        ("nat44_add_del_lb_static_mapping",),
        ("nat44_lb_static_mapping_add_del_local",),
        ("nat44_lb_static_mapping_dump",),
    )
    single = False

    def create(self, item: NatService) -> Steps:
        """A new one."""
        yield self._message(item, True)

    def delete(self, item: NatService) -> Steps:
        """It goes."""
        yield self._message(item, False)

    def update(self, old: NatService, new: NatService) -> Steps:
        """Other backends: new ones first, so that two stay at any time; another share: out and in again.

        Raises:
            CannotUpdate: that would leave one.
        """
        places = {_place(b): b for b in old.backends}
        changed = [b for b in new.backends if _place(b) in places and places[_place(b)] != b]
        if changed and len(new.backends) == FEWEST_BACKENDS:
            raise CannotUpdate("of two backends none can leave to come back with another share")
        for backend in new.backends:
            if _place(backend) not in places:
                yield self._change(new, backend, True)
        for backend in old.backends:
            if _place(backend) not in {_place(b) for b in new.backends}:
                yield self._change(new, backend, False)
        for backend in changed:
            yield self._change(new, places[_place(backend)], False)
            yield self._change(new, backend, True)

    @staticmethod
    def _change(item: NatService, backend: NatBackend, on: bool) -> Any:
        return "nat44_lb_static_mapping_add_del_local", {
            "is_add": on,
            "external_addr": item.external.packed,
            "external_port": item.port,
            "protocol": item.proto,
            "local": _backend(backend),
        }

    @staticmethod
    def _message(item: NatService, on: bool) -> Any:
        return "nat44_add_del_lb_static_mapping", {
            "is_add": on,
            "flags": _mode(item.twice, item.out2in_only),
            "external_addr": item.external.packed,
            "external_port": item.port,
            "protocol": item.proto,
            "affinity": item.affinity,
            "tag": item.tag,
            "local_num": len(item.backends),
            "locals": [_backend(b) for b in item.backends],
        }

    def canonical(self, item: NatService) -> NatService:
        """Without what VPP does not tell, its backends in order."""
        return replace(item, affinity=0, backends=tuple(sorted(item.backends)))

    def dump(self) -> Iterable[NatService]:
        """All."""
        for d in self.link.connection.details("nat44_lb_static_mapping_dump"):
            backends = (NatBackend(IPv4Address(bytes(b.addr)), b.port, b.probability, b.vrf_id) for b in d.locals)
            yield NatService(
                IPv4Address(bytes(d.external_addr)),
                d.external_port,
                d.protocol,
                tuple(sorted(backends)),
                _twice(d.flags),
                bool(d.flags & OUT2IN_ONLY),
                0,
                str(d.tag),
            )


def _place(backend: NatBackend) -> tuple[IPv4Address, int, int]:
    return backend.address, backend.port, backend.table


def _backend(backend: NatBackend) -> dict[str, Any]:
    return {
        "addr": backend.address.packed,
        "port": backend.port,
        "probability": backend.probability,
        "vrf_id": backend.table,
    }


class NatIdentities(Kind[NatIdentity]):
    """See the module."""

    item = NatIdentity
    title = "NAT identity mappings"
    messages = (("nat44_add_del_identity_mapping",), ("nat44_identity_mapping_dump",))

    def create(self, item: NatIdentity) -> Steps:
        """A new one."""
        yield self._message(item, True)

    def delete(self, item: NatIdentity) -> Steps:
        """It goes."""
        yield self._message(item, False)

    def _message(self, item: NatIdentity, on: bool) -> Any:
        return "nat44_add_del_identity_mapping", {
            "is_add": on,
            "flags": 0 if item.port else ADDR_ONLY,
            "ip_address": item.address.packed if item.address else _NO_ADDRESS,
            "protocol": item.proto,
            "port": item.port,
            "sw_if_index": self.index(item.interface) if item.interface else NONE,
            "vrf_id": item.table,
            "tag": item.tag,
        }

    def dump(self) -> Iterable[NatIdentity]:
        """All, each once. Of what follows an interface VPP tells the protocol only while that has an address."""
        self.link.interfaces.refresh()
        inside = _inside(self)
        plain: dict[tuple[IPv4Address | None, int], list[Any]] = {}
        of_interfaces: dict[tuple[IPv4Address | None, int], list[Any]] = {}
        for d in self.link.connection.details("nat44_identity_mapping_dump"):
            if d.sw_if_index == NONE:
                plain.setdefault((IPv4Address(bytes(d.ip_address)), d.port), []).append(d)
            elif self.link.interfaces.name(d.sw_if_index) is not None:
                of_interfaces.setdefault((first_address(self, d.sw_if_index), d.port), []).append(d)
        for key, following in of_interfaces.items():
            protocols = [d.protocol for d in plain.pop(key, [])] or [0] * len(following)
            for d, protocol in zip(following, protocols, strict=False):
                name = self.link.interfaces.name(d.sw_if_index)
                yield NatIdentity(None, name or "", protocol, d.port, _table(d.vrf_id, inside), str(d.tag))
        for (address, port), details in plain.items():
            for d in details:
                yield NatIdentity(address, "", d.protocol, port, _table(d.vrf_id, inside), str(d.tag))
