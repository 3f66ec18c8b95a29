"""Static mappings of NAT44: of an address, of a port, load-balanced, identity, and those that follow an interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import (
    InvalidValue,
    Nat44Error,
    NoSuchEntry,
    Unspecified,
    Unsupported,
    ValueExists,
)
from vectorplane.backends.engine.nat44.order import PoolList, take_out
from vectorplane.backends.engine.slots import Slots
from vectorplane.graph_nodes.nat44.nat import (
    SM_ADDR_ONLY,
    SM_IDENTITY,
    SM_LB,
    SM_OUT2IN_ONLY,
    SM_SELF_TWICE_NAT,
    SM_SWITCH_ADDRESS,
    SM_TWICE_NAT,
)
from vectorplane.graph_nodes.nat44.session import LOAD_BALANCING, STATIC

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.nat44 import Nat44
    from vectorplane.backends.engine.nat44.sessions import Columns

LEAST_LOCALS = 2
"""Backends of a load-balanced mapping."""


@dataclass(slots=True)
class Local:
    """A backend, or a table in which an identity mapping holds."""

    address: int = 0
    port: int = 0
    probability: int = 0
    vrf: int = 0


@dataclass(slots=True)
class Mapping:
    """One mapping; flags: ``SM_*`` of `vectorplane.graph_nodes.nat44.nat`."""

    index: int
    local: int
    external: int
    local_port: int
    external_port: int
    proto: int
    vrf: int
    fib: int
    flags: int
    pool_address: int = 0
    tag: str = ""
    affinity: int = 0
    """Seconds."""
    locals: PoolList[Local] = field(default_factory=PoolList)


@dataclass(slots=True)
class ToResolve:
    """A mapping whose external address is the first one of an interface."""

    local: int
    local_port: int
    external_port: int
    proto: int
    vrf: int | None
    sw_if_index: int
    flags: int
    pool_address: int
    tag: str
    resolved: bool = False


class StaticMappings:
    """See the module's docstring."""

    def __init__(self, engine: Engine, nat: Nat44) -> None:
        self._engine, self._nat = engine, nat
        self._by_index: dict[int, Mapping] = {}
        self._slots = Slots()
        self.to_resolve: list[ToResolve] = []

    def __iter__(self) -> Iterator[Mapping]:
        """All, in the order of their numbers."""
        return iter([self._by_index[i] for i in sorted(self._by_index)])

    def __len__(self) -> int:
        return len(self._by_index)

    def received(self) -> Iterator[int]:
        """The external addresses of mappings that are this router's own, once for each mapping.

        Not those of load-balanced ones: VPP makes routes for them, too, but only if an interface becomes an outside one
        later, and keeps the routes when they are gone.
        """
        return (mapping.external for mapping in self if not mapping.flags & SM_LB)

    def _by_external(self, address: int, port: int, proto: int) -> Mapping | None:
        index = self._nat.tables.find_key(False, address, port, 0, proto)
        return None if index is None else self._by_index[index]

    @staticmethod
    def _check(flags: int) -> None:
        if flags & SM_IDENTITY and flags & SM_OUT2IN_ONLY:
            raise Unsupported("an identity mapping can't be for packets from outside alone")
        if flags & (SM_TWICE_NAT | SM_SELF_TWICE_NAT) and flags & (SM_ADDR_ONLY | SM_IDENTITY):
            raise Unsupported("twice-NAT needs a mapping with ports that is no identity mapping")

    # --- one local address

    def add(
        self,
        local: int,
        external: int,
        local_port: int,
        external_port: int,
        proto: int,
        vrf: int | None,
        sw_if_index: int | None,
        flags: int,
        pool_address: int = 0,
        tag: str = "",
    ) -> None:
        """A new mapping; of an interface (`sw_if_index`, with the flag) once that has an address.

        Raises:
            Unsupported: NAT is off, or it does not do that.
            ValueExists: there is one for the external or the local address and port.
        """
        self._nat.need_enabled()
        self._check(flags)
        if not flags & SM_SWITCH_ADDRESS or sw_if_index is None:
            self._add(local, external, local_port, external_port, proto, vrf, flags, pool_address, tag)
            return
        if self._record(local, local_port, external_port, proto, vrf, sw_if_index, flags) is not None:
            raise ValueExists("the interface has this mapping already")
        entry = ToResolve(local, local_port, external_port, proto, vrf, sw_if_index, flags, pool_address, tag)
        first = self._nat.addresses.first_of(sw_if_index)
        if first is not None:
            self._add(local, first, local_port, external_port, proto, vrf, flags, pool_address, tag)
            entry.resolved = True
        self.to_resolve.append(entry)

    def delete(
        self,
        local: int,
        external: int,
        local_port: int,
        external_port: int,
        proto: int,
        vrf: int | None,
        sw_if_index: int | None,
        flags: int,
    ) -> None:
        """It goes, with its sessions.

        Raises:
            Unsupported: see `add`.
            NoSuchEntry: it is not there.
        """
        self._nat.need_enabled()
        self._check(flags)
        if flags & SM_SWITCH_ADDRESS and sw_if_index is not None:
            entry = self._record(local, local_port, external_port, proto, vrf, sw_if_index, flags)
            if entry is None:
                raise NoSuchEntry("the interface has no such mapping")
            take_out(self.to_resolve, self.to_resolve.index(entry))
            first = self._nat.addresses.first_of(sw_if_index)
            if first is None:
                return
            external = first
        self._delete(external, external_port, proto, vrf, flags)

    def _record(
        self,
        local: int,
        local_port: int,
        external_port: int,
        proto: int,
        vrf: int | None,
        sw_if_index: int,
        flags: int,
    ) -> ToResolve | None:
        for entry in self.to_resolve:
            if (entry.sw_if_index, entry.vrf) != (sw_if_index, vrf):
                continue
            both_plain = bool(entry.flags & flags & SM_ADDR_ONLY)
            if entry.flags & flags & SM_IDENTITY:
                if both_plain or (entry.external_port, entry.proto) == (external_port, proto):
                    return entry
            elif entry.local == local and (
                both_plain or (entry.local_port, entry.external_port, entry.proto) == (local_port, external_port, proto)
            ):
                return entry
        return None

    def _add(
        self,
        local: int,
        external: int,
        local_port: int,
        external_port: int,
        proto: int,
        vrf: int | None,
        flags: int,
        pool_address: int,
        tag: str,
    ) -> None:
        if flags & SM_ADDR_ONLY:
            external_port = local_port = proto = 0
        if flags & SM_IDENTITY:
            local_port, local = external_port, external
        tables = self._nat.tables
        there = self._by_external(external, external_port, proto)
        if there is not None:
            wanted = self._nat.inside_vrf if vrf is None else vrf
            if not there.flags & SM_IDENTITY or any(one.vrf == wanted for one in there.locals):
                raise ValueExists(f"there is a mapping of {IPv4Address(external)} port {external_port} already")
            fib = self._nat.hold_table(wanted)
            there.locals.enter(Local(vrf=wanted))
            tables.add_key(True, there.local, there.local_port, fib, there.proto, there.index)
            return
        vrf = self._nat.inside_vrf if vrf is None else vrf
        fib = self._nat.hold_table(vrf)
        mapping = Mapping(-1, local, external, local_port, external_port, proto, vrf, fib, flags, pool_address, tag)
        if flags & SM_IDENTITY:
            mapping.vrf = mapping.fib = 0
            mapping.locals.enter(Local(vrf=vrf))
        try:
            from_inside = not flags & (SM_OUT2IN_ONLY | SM_IDENTITY)
            if from_inside and tables.find_key(True, local, local_port, fib, proto) is not None:
                raise ValueExists(f"there is a mapping of {IPv4Address(local)} port {local_port} already")
            self._enter(mapping)
        except (ValueExists, OverflowError):
            self._nat.release_table(vrf)
            raise
        if not flags & SM_OUT2IN_ONLY:
            tables.add_key(True, local, local_port, fib, proto, mapping.index)
        for interface in self._nat.interfaces.outside():
            self._nat.routes.use(external, interface)

    def _delete(self, external: int, external_port: int, proto: int, vrf: int | None, flags: int) -> None:
        if flags & SM_ADDR_ONLY:
            external_port = proto = 0
        mapping = self._by_external(external, external_port, proto)
        if mapping is None:
            raise NoSuchEntry(f"there is no mapping of {IPv4Address(external)} port {external_port}")
        held = mapping.vrf
        if flags & SM_IDENTITY:
            held = self._nat.inside_vrf if vrf is None else vrf
            one = next((one for one in mapping.locals if one.vrf == held), None)
            if one is None or not mapping.flags & SM_IDENTITY:
                raise NoSuchEntry(f"the mapping of {IPv4Address(external)} does not hold in table {held}")
            mapping.locals.leave(one)
        elif mapping.locals:  # VPP says yes, too, when one with backends or tables is to go as a plain one, which stays
            return
        fib = self._engine.routes.control.fib_index(held)
        # what was said of its local side does not matter: no key may lead to a mapping that is gone
        self._unlearn(mapping, mapping.local, mapping.local_port, fib)
        self._end_sessions(mapping, fib, bool(flags & SM_ADDR_ONLY))
        self._nat.release_table(held)
        if not mapping.locals:
            self._forget(mapping)
            for interface in self._nat.interfaces.outside():
                self._nat.routes.leave(external, interface)

    def _unlearn(self, mapping: Mapping, address: int, port: int, fib: int) -> None:
        """The mapping is not found by a local address any more; another one may have taken its key."""
        tables = self._nat.tables
        if tables.find_key(True, address, port, fib, mapping.proto) == mapping.index:
            tables.delete_key(True, address, port, fib, mapping.proto)

    def _end_sessions(self, mapping: Mapping, fib: int, whole: bool) -> None:
        def of_it(s: Columns) -> npt.NDArray[np.bool_]:
            static = ((s.flags & STATIC) != 0) & ((s.flags & LOAD_BALANCING) == 0)
            chosen = static & (s.in_fib == fib) & (s.in_address == mapping.local)
            if not whole:
                chosen &= (s.in_port == mapping.local_port) & (s.proto == mapping.proto)
                chosen &= (s.out_address == mapping.external) & (s.out_port == mapping.external_port)
            return chosen

        self._nat.sessions.end(of_it)

    def _enter(self, mapping: Mapping) -> None:
        """It is there, with its number, and found by its external address. Raises `OverflowError`: there is no room."""
        mapping.index = self._slots.next
        self._write(mapping)
        self._by_index[self._slots.take()] = mapping
        external = mapping.external, mapping.external_port
        self._nat.tables.add_key(False, *external, 0, mapping.proto, mapping.index)

    def _forget(self, mapping: Mapping) -> None:
        tables = self._nat.tables
        tables.delete_key(False, mapping.external, mapping.external_port, 0, mapping.proto)
        tables.erase_mapping(mapping.index)
        del self._by_index[mapping.index]
        self._slots.give(mapping.index)

    def _write(self, mapping: Mapping) -> None:
        total = 0
        backends = []
        for one in mapping.locals if mapping.flags & SM_LB else ():
            total += one.probability
            backends.append((one.address, one.port, total, self._engine.routes.control.fib_index(one.vrf)))
        self._nat.tables.write_mapping(
            mapping.index,
            mapping.local,
            mapping.external,
            mapping.local_port,
            mapping.external_port,
            mapping.proto,
            mapping.fib,
            mapping.flags,
            mapping.pool_address,
            mapping.affinity,
            backends,
        )

    # --- several

    def add_lb(
        self,
        external: int,
        external_port: int,
        proto: int,
        locals: Sequence[Local],
        flags: int,
        tag: str = "",
        affinity: int = 0,
    ) -> None:
        """A load-balanced mapping.

        Raises:
            Unsupported: NAT is off.
            ValueExists: there is one for the external address and port.
            InvalidValue: it has fewer than two backends.
            NoSuchEntry: backends may begin connections, and the external address is not in the pool.
        """
        self._nat.need_enabled()
        if self._by_external(external, external_port, proto) is not None:
            raise ValueExists(f"there is a mapping of {IPv4Address(external)} port {external_port} already")
        if len(locals) < LEAST_LOCALS:
            raise InvalidValue("a load-balanced mapping needs at least two backends")
        if not flags & SM_OUT2IN_ONLY and all(p.address != external for p in self._nat.addresses.pool(False)):
            raise NoSuchEntry(f"{IPv4Address(external)} is not in the NAT pool")
        mapping = Mapping(
            -1, 0, external, 0, external_port, proto, 0, 0, flags | SM_LB, 0, tag, affinity, PoolList(locals)
        )
        held = []
        try:
            for one in locals:
                self._nat.hold_table(one.vrf)
                held.append(one.vrf)
            self._enter(mapping)
        except OverflowError:
            for vrf in held:
                self._nat.release_table(vrf)
            raise
        for one in () if flags & SM_OUT2IN_ONLY else locals:  # in FIB 0, as VPP enters those of a new mapping
            self._nat.tables.add_key(True, one.address, one.port, 0, proto, mapping.index)

    def delete_lb(self, external: int, external_port: int, proto: int, flags: int) -> None:
        """It goes, with its sessions.

        Raises:
            Unsupported: NAT is off.
            NoSuchEntry: it is not there.
            InvalidValue: it is not load-balanced.
        """
        mapping = self._balanced(external, external_port, proto)
        for one in mapping.locals:
            self._backend_gone(mapping, one)
        self._forget(mapping)

    def _backend_gone(self, mapping: Mapping, one: Local) -> None:
        for fib in {0, self._engine.routes.control.fib_index(one.vrf)}:
            self._unlearn(mapping, one.address, one.port, fib)

        def through_it(s: Columns) -> npt.NDArray[np.bool_]:
            chosen = ((s.flags & LOAD_BALANCING) != 0) & (s.proto == mapping.proto)
            chosen &= (s.in_address == one.address) & (s.in_port == one.port)
            return chosen & (s.out_address == mapping.external) & (s.out_port == mapping.external_port)

        self._nat.sessions.end(through_it)
        self._nat.release_table(one.vrf)

    def add_local(self, external: int, external_port: int, local: Local, proto: int) -> None:
        """One backend more.

        Raises:
            Unsupported, NoSuchEntry, InvalidValue: see `delete_lb`.
            ValueExists: it is there.
        """
        mapping = self._balanced(external, external_port, proto)
        if self._same(mapping, local) is not None:
            raise ValueExists(f"{IPv4Address(local.address)} port {local.port} is a backend already")
        fib = self._nat.hold_table(local.vrf)
        mapping.locals.enter(local)
        try:
            self._write(mapping)
        except OverflowError:
            mapping.locals.leave(local)
            self._nat.release_table(local.vrf)
            raise
        if not mapping.flags & SM_OUT2IN_ONLY:
            self._nat.tables.add_key(True, local.address, local.port, fib, proto, mapping.index)

    def delete_local(self, external: int, external_port: int, local: Local, proto: int) -> None:
        """One backend less, with its sessions.

        Raises:
            Unsupported, InvalidValue: see `delete_lb`.
            NoSuchEntry: the mapping or the backend is not there.
            Unspecified: at least two must stay.
        """
        mapping = self._balanced(external, external_port, proto)
        there = self._same(mapping, local)
        if there is None:
            raise NoSuchEntry(f"{IPv4Address(local.address)} port {local.port} is no backend")
        if len(mapping.locals) <= LEAST_LOCALS:
            raise Unspecified("at least two backends must stay")
        mapping.locals.leave(there)
        self._write(mapping)
        self._backend_gone(mapping, there)

    def set_probability(self, external: int, external_port: int, local: Local, proto: int) -> None:
        """Another share for a backend that is there; its sessions stay.

        Raises:
            Unsupported, InvalidValue, NoSuchEntry: see `delete_local`.
        """
        mapping = self._balanced(external, external_port, proto)
        there = self._same(mapping, local)
        if there is None:
            raise NoSuchEntry(f"{IPv4Address(local.address)} port {local.port} is no backend")
        there.probability = local.probability
        self._write(mapping)

    def resolved(self) -> set[int]:
        """The numbers of mappings that are there because of an interface's address."""
        found = set()
        for entry in self.to_resolve:
            first = self._nat.addresses.first_of(entry.sw_if_index)
            if entry.resolved and first is not None:
                plain = bool(entry.flags & SM_ADDR_ONLY)
                port, proto = (0, 0) if plain else (entry.external_port, entry.proto)
                mapping = self._by_external(first, port, proto)
                if mapping is not None:
                    found.add(mapping.index)
        return found

    def _balanced(self, external: int, external_port: int, proto: int) -> Mapping:
        self._nat.need_enabled()
        mapping = self._by_external(external, external_port, proto)
        if mapping is None:
            raise NoSuchEntry(f"there is no mapping of {IPv4Address(external)} port {external_port}")
        if not mapping.flags & SM_LB:
            raise InvalidValue(f"the mapping of {IPv4Address(external)} port {external_port} is not load-balanced")
        return mapping

    @staticmethod
    def _same(mapping: Mapping, local: Local) -> Local | None:
        wanted = (local.address, local.port, local.vrf)
        return next((one for one in mapping.locals if (one.address, one.port, one.vrf) == wanted), None)

    # --- what changes under them

    def address_changed(self, sw_if_index: int, address: int, added: bool) -> None:
        """An interface got or lost an address: mappings that are its own follow."""
        for entry in self.to_resolve:
            if entry.sw_if_index != sw_if_index or entry.resolved == added:
                continue
            try:
                if added:
                    self._add(
                        entry.local,
                        address,
                        entry.local_port,
                        entry.external_port,
                        entry.proto,
                        entry.vrf,
                        entry.flags,
                        entry.pool_address,
                        entry.tag,
                    )
                else:
                    self._delete(address, entry.external_port, entry.proto, entry.vrf, entry.flags)
            except Nat44Error:
                continue  # as in VPP it stays as it was: another one is in its way, or it was another address's
            entry.resolved = added

    def clear(self) -> None:
        """All go."""
        for mapping in list(self):
            if mapping.flags & SM_LB:
                self.delete_lb(mapping.external, mapping.external_port, mapping.proto, mapping.flags)
                continue
            tables = [one.vrf for one in mapping.locals] if mapping.flags & SM_IDENTITY else [mapping.vrf]
            for vrf in tables:
                self._delete(mapping.external, mapping.external_port, mapping.proto, vrf, mapping.flags)
        self.to_resolve.clear()
        self._slots = Slots()
