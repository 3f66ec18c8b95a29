"""NAT44: static, load-balanced and identity mappings; messages ``nat44_...``.

VPP does not tell everything of what it has. The affinity of a service is kept in its tag, behind ours, as far as there
is room; the pool address of a mapping (and an affinity without room) is not compared.
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
from vectorplane.backends.vpp.link import Link

_TWICE = dict(zip(NAT_TWICE, (0, TWICE_NAT, SELF_TWICE_NAT), strict=True))
_NO_ADDRESS = bytes(4)
_AFFINITY = " affinity "
_TAG_SIZE = 63
FEWEST_BACKENDS = 2
"""A service has at least as many."""
MOST_WEIGHT = 255
"""Of all backends of a service: VPP adds their weights up in 8 bits, and divides by the sum, were it 0."""


def _mode(twice: str, out2in_only: bool) -> int:
    if twice not in _TWICE:
        raise BackendError(f"twice-NAT is one of {', '.join(filter(None, _TWICE))}, not {twice}")
    return _TWICE[twice] | (OUT2IN_ONLY if out2in_only else 0)


def _twice(flags: int) -> str:
    return "twice-nat" if flags & TWICE_NAT else "self-twice-nat" if flags & SELF_TWICE_NAT else ""


def _firsts(kind: Kind[Any], interfaces: Iterable[int]) -> dict[int, IPv4Address | None]:
    """The first addresses of interfaces, each asked for once."""
    return {index: first_address(kind, index) for index in interfaces}


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

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._modes: dict[str, int] = {}
        """By key the modes of mappings that follow an interface, of which VPP does not tell all before they hold."""

    def create(self, item: NatStatic) -> Steps:
        """A new one."""
        yield self._message(item, True)
        if item.interface:
            self._modes[item.key] = _mode(item.twice, item.out2in_only)

    def delete(self, item: NatStatic) -> Steps:
        """It goes."""
        yield self._message(item, False)
        self._modes.pop(item.key, None)

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
        """All, each once: while its interface has an address, one that follows it is listed with that, too.

        Only there VPP tells all modes; else those that this connection brought are believed.
        """
        self.link.interfaces.refresh()
        inside = _inside(self)
        plain: dict[tuple[IPv4Address | None, int, int], Any] = {}
        following = []
        for d in self.link.connection.details("nat44_static_mapping_dump"):
            if d.external_sw_if_index == NONE:
                plain[IPv4Address(bytes(d.external_ip_address)), d.protocol, d.external_port] = d
            else:
                following.append(d)
        firsts = _firsts(self, {d.external_sw_if_index for d in following})
        for d in following:
            name = self.link.interfaces.name(d.external_sw_if_index)
            place = (firsts[d.external_sw_if_index], d.protocol, d.external_port)
            twin = plain.get(place)
            if twin is not None and twin.local_ip_address == d.local_ip_address:
                del plain[place]
            else:
                twin = None
            if name is not None:
                item = _static(d, None, name, d.flags, inside)
                flags = twin.flags if twin is not None else self._modes.get(item.key, d.flags)
                yield _static(d, None, name, flags, inside)
        for (external, _, _), d in plain.items():
            yield _static(d, external, "", d.flags, inside)


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
        weight = _weight(item.backends)
        if weight > MOST_WEIGHT:
            raise BackendError(
                f"{item.key}: the weights of its {len(item.backends)} backends add up to {weight}, "
                f"and a VPP holds {MOST_WEIGHT} of a service"
            )
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
        held = {**places, **{_place(b): b for b in new.backends if _place(b) not in places}}
        if max(_weight(held.values()), _weight(new.backends)) > MOST_WEIGHT:
            raise CannotUpdate(f"former and new backends together weigh more than {MOST_WEIGHT}")
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
            "tag": _noted(item),
            "local_num": len(item.backends),
            "locals": [_backend(b) for b in item.backends],
        }

    def canonical(self, item: NatService) -> NatService:
        """Without what there is no room for, its backends in order."""
        affinity = item.affinity if _noted(item) != item.tag else 0
        return replace(item, affinity=affinity, backends=tuple(sorted(item.backends)))

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
                *_read_note(str(d.tag)),
            )


def _noted(item: NatService) -> str:
    """The tag in VPP, which remembers the affinity if there is room for it."""
    text = f"{item.tag}{_AFFINITY}{item.affinity}" if item.affinity else item.tag
    return text if len(text.encode()) <= _TAG_SIZE else item.tag


def _read_note(tag: str) -> tuple[int, str]:
    """The affinity that a tag remembers, and our own tag."""
    ours, word, seconds = tag.rpartition(_AFFINITY)
    return (int(seconds), ours) if word and seconds.isdecimal() else (0, tag)


def _weight(backends: Iterable[NatBackend]) -> int:
    return sum(backend.probability for backend in backends)


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
        """All, each once: while its interface has an address, one that follows it is listed with that, too."""
        self.link.interfaces.refresh()
        inside = _inside(self)
        plain: list[Any] = []
        following: list[Any] = []
        for d in self.link.connection.details("nat44_identity_mapping_dump"):
            (plain if d.sw_if_index == NONE else following).append(d)
        firsts = _firsts(self, {d.sw_if_index for d in following})
        for d in following:
            table = _table(d.vrf_id, inside)
            first = firsts[d.sw_if_index]
            twin = next((p for p in plain if first is not None and _is_twin(p, d, first, table)), None)
            if twin is not None:
                plain.remove(twin)
            name = self.link.interfaces.name(d.sw_if_index)
            if name is not None:
                protocol = d.protocol or (twin.protocol if twin is not None else 0)
                yield NatIdentity(None, name, protocol, d.port, table, str(d.tag))
        for d in plain:
            address = IPv4Address(bytes(d.ip_address))
            yield NatIdentity(address, "", d.protocol, d.port, _table(d.vrf_id, inside), str(d.tag))


def _is_twin(plain: Any, following: Any, first: IPv4Address, table: int) -> bool:
    """Is it the same mapping, with the interface's address? Not every VPP tells the protocol of the other."""
    return (
        (IPv4Address(bytes(plain.ip_address)), plain.port, plain.vrf_id) == (first, following.port, table)
        and following.protocol in (0, plain.protocol)
        and (plain.flags & ADDR_ONLY) == (following.flags & ADDR_ONLY)
    )
