"""IPv4 addresses of an engine's interfaces, and the routes that each brings (as VPP's).

An address 10.0.0.1/24 of an interface that is up brings 10.0.0.0/24 (connected: ip4-glean), 10.0.0.1/32 (ours) and
drops for 10.0.0.0/32 and 10.0.0.255/32; a /31 brings its other end as a neighbour. The routes go while the
interface is down. An address may lie in the prefix of another one of the same interface with the same length, and
otherwise in no other prefix of its table.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.adjacencies import ALL_ONES
from vectorplane.backends.engine.fib_entries import DROP_PATHS, INTERFACE
from vectorplane.backends.engine.route_paths import CONNECTED, LOCAL, Path
from vectorplane.graph_nodes.arp_reply import Unnumbered
from vectorplane.graph_nodes.ip4_source import InterfaceAddresses

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class AddressConflict(ValueError):
    """The address lies in a prefix of another interface, or the other way round."""


class DuplicateAddress(ValueError):
    """The interface has this address."""


class Addresses:
    """Addresses of all interfaces (`Interface.addresses`), with what they mean to the FIBs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._unnumbered = engine.plane.shared(Unnumbered)
        self._for_nodes = engine.plane.shared(InterfaceAddresses)
        self._up: set[int] = set()
        """Interfaces whose routes are in."""
        self._routes: dict[tuple[int, int, int], int] = {}
        """By (interface, prefix, length): how many addresses share the prefix's routes."""
        self._stale: set[tuple[int, IPv4Interface]] = set()
        self._directed_broadcast: set[int] = set()
        self.on_change: list[Callable[[int, IPv4Interface, bool], None]] = []
        """Called with (sw_if_index, address, is it there now?) after an address came or went."""
        self.on_table_change: list[Callable[[int, int, int], None]] = []
        """Called with (sw_if_index, FIB before, FIB now) after an interface changed its table."""
        self.on_lender_change: list[Callable[[int], None]] = []
        """Called with sw_if_index after an interface began or ceased to borrow addresses."""

    def add(self, sw_if_index: int, address: str | IPv4Interface) -> None:
        """Give an interface an address.

        Raises:
            KeyError: no such interface.
            ValueError: a malformed address; `DuplicateAddress`, `AddressConflict`.
        """
        made = IPv4Interface(address)
        interface = self._engine.interfaces[sw_if_index]
        if (sw_if_index, made) in self._stale:
            self._stale.discard((sw_if_index, made))
            return
        self._check(sw_if_index, made)
        for other, same in [s for s in self._stale if s[1] == made]:  # a replacement moves it here
            if self._fib(other) == self._fib(sw_if_index):
                self.remove(other, same)
        interface.addresses.append(made)
        self._engine.interfaces.enable_ip4(sw_if_index)
        if sw_if_index in self._up or self._is_up(sw_if_index):
            self._up.add(sw_if_index)
            self._add_routes(sw_if_index, made)
        self._sources_changed(sw_if_index)
        for tell in self.on_change:
            tell(sw_if_index, made, True)

    def remove(self, sw_if_index: int, address: str | IPv4Interface) -> None:
        """Take an address from an interface.

        Raises:
            KeyError: no such interface, or it does not have the address.
        """
        gone = IPv4Interface(address)
        interface = self._engine.interfaces[sw_if_index]
        if gone not in interface.addresses:
            raise KeyError(f"interface {interface.name} has no address {gone}")
        interface.addresses.remove(gone)
        self._stale.discard((sw_if_index, gone))
        self._engine.interfaces.enable_ip4(sw_if_index, False)
        if sw_if_index in self._up:
            self._remove_routes(sw_if_index, gone)
        self._engine.neighbours.prefix_removed(sw_if_index, int(gone), gone.network.prefixlen)
        self._sources_changed(sw_if_index)
        for tell in self.on_change:
            tell(sw_if_index, gone, False)

    def remove_all(self, sw_if_index: int) -> None:
        """Take all addresses from an interface."""
        for address in list(self._engine.interfaces[sw_if_index].addresses):
            self.remove(sw_if_index, address)

    def mark(self) -> None:
        """Begin a replacement of all addresses: those that are not added again before `sweep` are stale."""
        self._stale = {(i.sw_if_index, a) for i in self._engine.interfaces.by_index.values() for a in i.addresses}

    def sweep(self) -> None:
        """End a replacement: take the stale ones away."""
        for sw_if_index, address in sorted(self._stale):
            self.remove(sw_if_index, address)

    def set_directed_broadcast(self, sw_if_index: int, on: bool = True) -> None:
        """Send packets to the broadcast addresses of the interface's prefixes as broadcasts (RFC 2644), or drop them.

        Raises:
            KeyError: no such interface.
        """
        interface = self._engine.interfaces[sw_if_index]
        if on == (sw_if_index in self._directed_broadcast):
            return
        (self._directed_broadcast.add if on else self._directed_broadcast.discard)(sw_if_index)
        for address in interface.addresses if sw_if_index in self._up else ():
            last = int(address.network.broadcast_address)
            if address.network.prefixlen < 31 and int(address) != last:
                self._set(self._fib(sw_if_index), last, 32, self._broadcast_paths(sw_if_index))

    def of(self, sw_if_index: int) -> list[IPv4Interface]:
        """The addresses of an interface, or of the one that it borrows them from."""
        interface = self._engine.interfaces[sw_if_index]
        if interface.unnumbered is not None:
            interface = self._engine.interfaces[interface.unnumbered]
        return interface.addresses

    def set_unnumbered(self, sw_if_index: int, lender: int | None) -> None:
        """Let an interface use the addresses of another one in the same table (None: no longer).

        Raises:
            KeyError: no such interface.
            ValueError: the two are in different tables.
        """
        interfaces = self._engine.interfaces
        interface = interfaces[sw_if_index]
        if lender is not None and self._fib(interfaces[lender].sw_if_index) != self._fib(sw_if_index):
            raise ValueError(f"interface {interface.name}: {interfaces[lender].name} is in another table")
        was = interface.unnumbered
        interface.unnumbered = lender
        self._unnumbered.lender[sw_if_index] = 0 if lender is None else lender + 1
        if (was is None) != (lender is None):
            interfaces.enable_ip4(sw_if_index, lender is not None)
            self._engine.addresses6.unnumbered_changed(sw_if_index, lender is not None)
        self._sources_changed(sw_if_index)
        self._engine.routes.control.lender_changed(self._fib(sw_if_index), sw_if_index)
        for tell in self.on_lender_change:
            tell(sw_if_index)

    def fib_of(self, sw_if_index: int) -> int:
        """FIB index of the table that the interface is in."""
        return self._fib(sw_if_index)

    def set_table(self, sw_if_index: int, table: int) -> None:
        """Move an interface to another table.

        Raises:
            KeyError: no such interface or table.
            ValueError: it has addresses (as in VPP, they must be removed before).
        """
        fib = self._engine.routes.control.fib_index(table)
        interface = self._engine.interfaces[sw_if_index]
        if self.of(sw_if_index):
            raise ValueError(f"interface {interface.name} has addresses: remove them before it changes its table")
        old = self._fib(sw_if_index)
        if old != fib:
            self._engine.interfaces.record(sw_if_index)["ip4_table"] = fib
            self._engine.neighbours.table_changed(sw_if_index, old)
            self._engine.routes.imports.table_changed(sw_if_index)
            self._engine.tables.collect()
            for tell in self.on_table_change:
                tell(sw_if_index, old, fib)

    def source_for(self, sw_if_index: int, destination: int) -> int:
        """The address to speak to ``destination`` from by this interface, as VPP chooses it; 0: there is none.

        The one whose prefix holds the destination; else the first that has a prefix, when the interface is up; else
        the one that has most leading bits in common with it. Nodes do the same (`vectorplane.graph_nodes.ip4_source`).
        """
        if sw_if_index not in self._engine.interfaces.by_index:
            return 0
        interface = self._engine.interfaces[sw_if_index]
        lender = sw_if_index if interface.unnumbered is None else interface.unnumbered
        addresses = self.of(sw_if_index)
        gleans = [a for a in addresses if lender in self._up and a.network.prefixlen < 32]
        for a in gleans:
            if (int(a) ^ destination) >> (32 - a.network.prefixlen) == 0:
                return int(a)
        if gleans:
            return int(gleans[0])
        return max((int(a) for a in addresses), key=lambda a: 32 - (a ^ destination).bit_length(), default=0)

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: its routes come or go."""
        if sw_if_index not in self._engine.interfaces.by_index:
            return
        up = self._is_up(sw_if_index)
        if up == (sw_if_index in self._up):
            return
        if up:
            self._up.add(sw_if_index)
        else:
            self._up.discard(sw_if_index)
        for address in self._engine.interfaces[sw_if_index].addresses:
            if up:
                self._add_routes(sw_if_index, address)
            else:
                self._remove_routes(sw_if_index, address)
        self._sources_changed(sw_if_index)

    # --- inner works

    def _is_up(self, sw_if_index: int) -> bool:
        return self._engine.interfaces.is_up(sw_if_index)

    def _fib(self, sw_if_index: int) -> int:
        return int(self._engine.interfaces.record(sw_if_index)["ip4_table"])

    def _check(self, sw_if_index: int, new: IPv4Interface) -> None:
        fib = self._fib(sw_if_index)
        for other in self._engine.interfaces.by_index.values():
            if self._fib(other.sw_if_index) != fib:
                continue
            for address in other.addresses:
                if not (new.ip in address.network or address.ip in new.network):
                    continue
                mine = other.sw_if_index == sw_if_index
                if mine and address == new:
                    raise DuplicateAddress(f"interface {other.name} has address {new} already")
                if mine and address.network.prefixlen == new.network.prefixlen and address.ip != new.ip:
                    continue
                if (other.sw_if_index, address) in self._stale:
                    continue
                name = self._engine.interfaces[sw_if_index].name
                raise AddressConflict(f"address {new} of {name} conflicts with {address} of {other.name}")

    def _set(self, fib: int, prefix: int, length: int, paths: tuple[Path, ...]) -> None:
        self._engine.routes.control.set_source(fib, prefix, length, INTERFACE, paths)

    def _unset(self, fib: int, prefix: int, length: int) -> None:
        control = self._engine.routes.control
        entry = control.find(fib, prefix, length)
        if entry is not None and INTERFACE in entry.sources:
            control.drop_source(entry, INTERFACE)

    def _add_routes(self, sw_if_index: int, address: IPv4Interface) -> None:
        fib, ip, length = self._fib(sw_if_index), int(address), address.network.prefixlen
        self._set(fib, ip, 32, (Path(ip, sw_if_index, kind=LOCAL),))
        if length == 32:
            return
        first, last = int(address.network.network_address), int(address.network.broadcast_address)
        key = (sw_if_index, first, length)
        self._routes[key] = self._routes.get(key, 0) + 1
        if self._routes[key] > 1:
            return
        self._set(fib, first, length, (Path(ip, sw_if_index, kind=CONNECTED),))
        if length == 31:
            self._set(fib, ip ^ 1, 32, (Path(ip ^ 1, sw_if_index),))
            return
        if first != ip:
            self._set(fib, first, 32, DROP_PATHS)
        if last != ip:
            self._set(fib, last, 32, self._broadcast_paths(sw_if_index))

    def _remove_routes(self, sw_if_index: int, address: IPv4Interface) -> None:
        fib, ip, length = self._fib(sw_if_index), int(address), address.network.prefixlen
        self._unset(fib, ip, 32)
        if length == 32:
            return
        first, last = int(address.network.network_address), int(address.network.broadcast_address)
        key = (sw_if_index, first, length)
        self._routes[key] -= 1
        if self._routes[key]:
            left = next(a for a in self._engine.interfaces[sw_if_index].addresses if a.network == address.network)
            self._set(fib, first, length, (Path(int(left), sw_if_index, kind=CONNECTED),))
            return
        del self._routes[key]
        ends = (ip ^ 1,) if length == 31 else (first, last)
        for end in ends:
            if end != ip:
                self._unset(fib, end, 32)
        self._unset(fib, first, length)

    def _broadcast_paths(self, sw_if_index: int) -> tuple[Path, ...]:
        """Where packets to the last address of the interface's prefixes go."""
        return (Path(ALL_ONES, sw_if_index),) if sw_if_index in self._directed_broadcast else DROP_PATHS

    def _sources_changed(self, sw_if_index: int) -> None:
        """What we send by the interface may have to come from another address now."""
        for other in self._engine.interfaces.by_index.values():
            if sw_if_index in (other.sw_if_index, other.unnumbered):
                lender = other.sw_if_index if other.unnumbered is None else other.unnumbered
                addresses = self.of(other.sw_if_index)
                bits = [32 - a.network.prefixlen if lender in self._up else 0 for a in addresses]
                self._for_nodes.set(other.sw_if_index, [int(a) for a in addresses], bits)
                self._engine.routes.adjacencies.refresh(other.sw_if_index)
