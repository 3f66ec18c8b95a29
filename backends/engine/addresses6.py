"""IPv6 addresses of an engine's interfaces, and the routes that they bring; each wants IPv6 to be on (`links6`).

An address 2001:db8::1/64 of an interface that is up brings 2001:db8::/64 (attached) and
2001:db8::1/128 (ours). Addresses may not overlap those of other interfaces in the table.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.addresses import AddressConflict, DuplicateAddress
from vectorplane.backends.engine.fib_entries import INTERFACE
from vectorplane.backends.engine.interfaces import ADDED, DELETED
from vectorplane.backends.engine.links6 import ARCS, Links6
from vectorplane.backends.engine.route_paths import CONNECTED, LOCAL
from vectorplane.backends.engine.route_paths6 import Path6

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class LinkLocalLength(ValueError):
    """A link-local address has a length of 128 here."""


class LinkLocalNotDeletable(ValueError):
    """The interface's link-local address stays while IPv6 is on."""


class Addresses6(Links6):
    """What each interface has of IPv6, with what it means to the FIBs."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._own: dict[int, list[IPv6Interface]] = {}
        self._up: set[int] = set()
        """Interfaces whose routes are in."""
        self._sharing: dict[tuple[int, int, int], int] = {}
        """By (interface, prefix, length): how many addresses share the prefix's route."""
        self._stale: set[tuple[int, IPv6Interface]] = set()
        engine.interfaces.on_change.append(self._interface_event)

    # --- addresses

    def add(self, sw_if_index: int, address: str | IPv6Interface) -> None:
        """Give an interface an address; a link-local one (length 128) replaces the one that it has.

        Raises:
            KeyError: no such interface.
            ValueError: a malformed address; `LinkLocalLength`, `DuplicateAddress`, `AddressConflict`.
        """
        made = IPv6Interface(address)
        self._engine.interfaces[sw_if_index]
        if made.ip.is_link_local:
            self._check_link_local(made)
            self.set_link_local(sw_if_index, made.ip)
            return
        if (sw_if_index, made) in self._stale:
            self._stale.discard((sw_if_index, made))
            return
        self._check(sw_if_index, made)
        for other, same in [s for s in self._stale if s[1] == made]:  # a replacement moves it here
            if self.fib_of(other) == self.fib_of(sw_if_index):
                self.remove(other, same)
        self._own.setdefault(sw_if_index, []).append(made)
        self._count(sw_if_index, 1)
        self._link_enable(sw_if_index)
        if self._engine.interfaces.is_up(sw_if_index):
            self._up.add(sw_if_index)
            self._add_routes(sw_if_index, made)

    def remove(self, sw_if_index: int, address: str | IPv6Interface) -> None:
        """Take an address from an interface.

        Raises:
            KeyError: no such interface, or it does not have the address.
            ValueError: a malformed address; `LinkLocalLength`, `LinkLocalNotDeletable`.
        """
        gone = IPv6Interface(address)
        interface = self._engine.interfaces[sw_if_index]
        if gone.ip.is_link_local:
            self._check_link_local(gone)
            if gone.ip == self.link_local(sw_if_index):
                raise LinkLocalNotDeletable(f"{gone.ip} stays while IPv6 is on on {interface.name}")
        if gone not in self._own.get(sw_if_index, ()):
            raise KeyError(f"interface {interface.name} has no address {gone}")
        self._own[sw_if_index].remove(gone)
        self._stale.discard((sw_if_index, gone))
        self._count(sw_if_index, -1)
        if sw_if_index in self._up:
            self._remove_routes(sw_if_index, gone)
        self._engine.neighbours6.prefix_removed(sw_if_index, int(gone), gone.network.prefixlen)
        self._link_disable(sw_if_index)

    def remove_all(self, sw_if_index: int) -> None:
        """Take all addresses from an interface (the link-local one goes when nothing else wants IPv6)."""
        for address in list(self._own.get(sw_if_index, ())):
            self.remove(sw_if_index, address)

    def own(self, sw_if_index: int) -> list[IPv6Interface]:
        """The addresses that an interface has itself, without its link-local one."""
        return list(self._own.get(sw_if_index, ()))

    def of(self, sw_if_index: int) -> list[IPv6Interface]:
        """The addresses of an interface, or of the one that it borrows them from; without link-local ones."""
        lender = self._engine.interfaces[sw_if_index].unnumbered
        return self.own(sw_if_index if lender is None else lender)

    def source_for(self, sw_if_index: int, destination: int) -> int | None:
        """The address to speak to ``destination`` from by this interface: one in whose prefix it lies, else the
        link-local one; None: there is none.
        """
        if sw_if_index not in self._engine.interfaces.by_index:
            return None
        for address in self.of(sw_if_index):
            if IPv6Address(destination) in address.network:
                return int(address)
        return self._link_local.get(sw_if_index)

    def mark(self) -> None:
        """Begin a replacement of all addresses: those that are not added again before `sweep` are stale."""
        self._stale = {(i, a) for i, addresses in self._own.items() for a in addresses}

    def sweep(self) -> None:
        """End a replacement: take the stale ones away."""
        for sw_if_index, address in sorted(self._stale):
            self.remove(sw_if_index, address)
        self._stale.clear()

    # --- tables and events

    def fib_of(self, sw_if_index: int) -> int:
        """FIB index of the IPv6 table that the interface is in."""
        return int(self._seen.interfaces[sw_if_index]["table"])

    def table_of(self, sw_if_index: int) -> int:
        """Id of the IPv6 table that the interface is in."""
        fib = self.fib_of(sw_if_index)
        return next(t for t, i in self._engine.routes6.control.index_by_id.items() if i == fib)

    def set_table(self, sw_if_index: int, table: int) -> None:
        """Move an interface to another table.

        Raises:
            KeyError: no such interface or table.
            ValueError: it has addresses (as in VPP, they must be removed before).
        """
        fib = self._engine.routes6.control.fib_index(table)
        interface = self._engine.interfaces[sw_if_index]
        if self.of(sw_if_index):
            raise ValueError(f"interface {interface.name} has IPv6 addresses: remove them before it changes its table")
        old = self.fib_of(sw_if_index)
        if old != fib:
            self._seen.interfaces[sw_if_index]["table"] = fib
            self._engine.neighbours6.table_changed(sw_if_index, old)
            self._engine.tables6.collect()

    def unnumbered_changed(self, sw_if_index: int, borrows: bool) -> None:
        """The interface begins to borrow another one's addresses, or ends it: that counts as wanting IPv6."""
        self._count(sw_if_index, 1 if borrows else -1)
        self._engine.routes6.control.cover_changed(self.fib_of(sw_if_index), 0, 0)

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down: its routes come or go."""
        if sw_if_index not in self._engine.interfaces.by_index:
            return
        up = self._engine.interfaces.is_up(sw_if_index)
        if up != (sw_if_index in self._up):
            (self._up.add if up else self._up.discard)(sw_if_index)
            for address in self._own.get(sw_if_index, ()):
                (self._add_routes if up else self._remove_routes)(sw_if_index, address)
        self._engine.routes6.control.interface_changed(sw_if_index)

    # --- inner works

    def _interface_event(self, sw_if_index: int, what: str) -> None:
        if what == ADDED:
            for arc in ARCS:
                self._engine.plane.arcs[arc].enable(sw_if_index, "ip6-not-enabled")
        elif what == DELETED:
            self._forget(sw_if_index)

    def _forget(self, sw_if_index: int) -> None:
        """The interface is about to go: so does all that it has of IPv6."""
        self.remove_all(sw_if_index)
        self.forget_link(sw_if_index)
        self._own.pop(sw_if_index, None)
        self._up.discard(sw_if_index)
        self._engine.neighbours6.interface_deleted(sw_if_index)
        self._engine.routes6.interface_removed(sw_if_index)
        self._seen.interfaces[sw_if_index] = (0, 0)
        self._engine.tables6.collect()

    @staticmethod
    def _check_link_local(address: IPv6Interface) -> None:
        if address.network.prefixlen != 128:
            raise LinkLocalLength(f"link-local address {address}: its length must be 128")

    def _check(self, sw_if_index: int, new: IPv6Interface) -> None:
        fib, name = self.fib_of(sw_if_index), self._engine.interfaces[sw_if_index].name
        for index, addresses in self._own.items():
            if self.fib_of(index) != fib:
                continue
            for address in addresses:
                if not (new.ip in address.network or address.ip in new.network) or (index, address) in self._stale:
                    continue
                mine = index == sw_if_index
                if mine and address == new:
                    raise DuplicateAddress(f"interface {name} has address {new} already")
                if mine and address.network.prefixlen == new.network.prefixlen and address.ip != new.ip:
                    continue
                other = self._engine.interfaces[index].name
                raise AddressConflict(f"address {new} of {name} conflicts with {address} of {other}")

    def _add_routes(self, sw_if_index: int, address: IPv6Interface) -> None:
        control, fib = self._engine.routes6.control, self.fib_of(sw_if_index)
        ip, length, first = int(address), address.network.prefixlen, int(address.network.network_address)
        control.set_source(fib, ip, 128, INTERFACE, (Path6(ip, sw_if_index, kind=LOCAL),))
        if length < 128:
            key = (sw_if_index, first, length)
            self._sharing[key] = self._sharing.get(key, 0) + 1
            if self._sharing[key] == 1:
                control.set_source(fib, first, length, INTERFACE, (Path6(0, sw_if_index, kind=CONNECTED),))

    def _remove_routes(self, sw_if_index: int, address: IPv6Interface) -> None:
        fib = self.fib_of(sw_if_index)
        ip, length, first = int(address), address.network.prefixlen, int(address.network.network_address)
        if length < 128:
            key = (sw_if_index, first, length)
            self._sharing[key] -= 1
            if not self._sharing[key]:
                del self._sharing[key]
                self._unset(fib, first, length)
        self._unset(fib, ip, 128)

    def _unset(self, fib: int, prefix: int, length: int) -> None:
        control = self._engine.routes6.control
        entry = control.find(fib, prefix, length)
        if entry is not None and INTERFACE in entry.sources:
            control.drop_source(entry, INTERFACE)
