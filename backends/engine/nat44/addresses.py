"""The addresses that NAT44 gives: a pool, one for twice-NAT, and interfaces whose first address belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from typing import TYPE_CHECKING

from vectorplane.backends.engine.nat44.errors import Nat44Error, NoSuchEntry, ValueExists
from vectorplane.backends.engine.nat44.order import take_out
from vectorplane.graph_nodes.nat44.session import STATIC
from vectorplane.graph_nodes.nat44.tables import MOST_ADDRESSES

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine
    from vectorplane.backends.engine.nat44.nat44 import Nat44


@dataclass(slots=True)
class PoolAddress:
    """One address of a pool."""

    address: int
    vrf: int | None
    """The table whose packets get it; None: any."""
    sw_if_index: int | None = None
    """The outside interface that has it as its own address."""
    length: int | None = None
    """And the length of its prefix there."""


@dataclass(slots=True)
class _OfInterface:
    sw_if_index: int
    twice_nat: bool
    resolved: int | None = None


class NatAddresses:
    """See the module's docstring."""

    def __init__(self, engine: Engine, nat: Nat44) -> None:
        self._engine, self._nat = engine, nat
        self._pools: tuple[list[PoolAddress], list[PoolAddress]] = ([], [])
        self._places: tuple[dict[int, int], dict[int, int]] = ({}, {})
        """By address: where in the pool it is."""
        self._interfaces: list[_OfInterface] = []
        engine.addresses.on_change.append(self._changed)

    def pool(self, twice_nat: bool) -> list[PoolAddress]:
        """The addresses of a pool, in VPP's order: the last one takes the place of one that goes."""
        return self._pools[int(twice_nat)]

    @property
    def interfaces(self) -> list[tuple[int, bool]]:
        """Interfaces whose first address belongs to a pool (twice-NAT's: True)."""
        return [(i.sw_if_index, i.twice_nat) for i in self._interfaces]

    def resolved(self, twice_nat: bool) -> set[int]:
        """The addresses of a pool that are there because of an interface."""
        return {i.resolved for i in self._interfaces if i.twice_nat == twice_nat and i.resolved is not None}

    def add(self, address: int, vrf: int | None, twice_nat: bool = False) -> None:
        """One more.

        Raises:
            Unsupported: NAT is off.
            ValueExists: it is there.
        """
        self.add_range(address, address, vrf, twice_nat)

    def add_range(self, first: int, last: int, vrf: int | None, twice_nat: bool = False) -> None:
        """All of a range, in order; those before one that is refused stay.

        Raises:
            Unsupported, ValueExists: see `add`.
            OverflowError: there is no room.
        """
        self._nat.need_enabled()
        pool, places = self.pool(twice_nat), self._places[int(twice_nat)]
        outside = [] if twice_nat else self._nat.interfaces.outside()
        try:
            for address in range(first, last + 1):
                if address in places:
                    raise ValueExists(f"NAT address {IPv4Address(address)} is there already")
                if len(pool) == MOST_ADDRESSES:
                    raise OverflowError(f"at most {MOST_ADDRESSES} NAT addresses are possible")
                if vrf is not None:
                    self._nat.hold_table(vrf)
                entry = PoolAddress(address, vrf)
                places[address] = len(pool)
                pool.append(entry)
                for interface in outside:
                    self._nat.routes.use(address, interface)
                self._bind(entry, outside)
        finally:
            self._write(twice_nat)

    def delete(self, address: int, twice_nat: bool = False) -> None:
        """One less; its dynamic sessions end.

        Raises:
            NoSuchEntry: it is not there.
        """
        self.delete_range(address, address, twice_nat)

    def delete_range(self, first: int, last: int, twice_nat: bool = False) -> None:
        """All of a range, in order, up to one that is not there. Raises as `delete`."""
        pool, places = self.pool(twice_nat), self._places[int(twice_nat)]
        gone = []
        for address in range(first, last + 1):
            at = places.pop(address, None)
            if at is None:
                break
            gone.append(take_out(pool, at))
            if at < len(pool):
                places[pool[at].address] = at
        self._let_go(gone, twice_nat)
        if first + len(gone) <= last:
            raise NoSuchEntry(f"there is no NAT address {IPv4Address(first + len(gone))}")

    def _let_go(self, gone: list[PoolAddress], twice_nat: bool) -> None:
        """Addresses are not in the pool any more."""
        if not gone:
            return
        self._write(twice_nat)
        low, high = min(p.address for p in gone), max(p.address for p in gone)
        self._nat.sessions.end(lambda s: ((s.flags & STATIC) == 0) & (s.out_address >= low) & (s.out_address <= high))
        outside = [] if twice_nat else self._nat.interfaces.outside()
        for entry in gone:
            for interface in outside:
                self._nat.routes.leave(entry.address, interface)
            if entry.vrf is not None:
                self._nat.release_table(entry.vrf)

    def add_interface(self, sw_if_index: int, twice_nat: bool = False) -> None:
        """The interface's first address belongs to a pool, as soon as it has one.

        Raises:
            Unsupported, ValueExists: see `add`.
        """
        self._nat.need_enabled()
        if (sw_if_index, twice_nat) in self.interfaces:
            raise ValueExists("the interface's address belongs to the NAT pool already")
        entry = _OfInterface(sw_if_index, twice_nat)
        first = self.first_of(sw_if_index)
        if first is not None:
            self.add(first, None, twice_nat)
            entry.resolved = first
        self._interfaces.append(entry)

    def delete_interface(self, sw_if_index: int, twice_nat: bool = False) -> None:
        """It does not any more.

        Raises:
            Unsupported: NAT is off.
            NoSuchEntry: it did not.
        """
        self._nat.need_enabled()
        entry = next((i for i in self._interfaces if (i.sw_if_index, i.twice_nat) == (sw_if_index, twice_nat)), None)
        if entry is None:
            raise NoSuchEntry("the interface's address does not belong to the NAT pool")
        take_out(self._interfaces, self._interfaces.index(entry))
        if entry.resolved is not None:
            self.delete(entry.resolved, twice_nat)

    def first_of(self, sw_if_index: int) -> int | None:
        """The first address of an interface, or of the one that it borrows them from."""
        if sw_if_index not in self._engine.interfaces.by_index:
            return None
        own = self._engine.addresses.of(sw_if_index)
        return int(own[0]) if own else None

    def clear(self) -> None:
        """All go, and all their sessions."""
        for twice in (False, True):
            gone = list(self.pool(twice))
            self.pool(twice).clear()
            self._places[int(twice)].clear()
            self._let_go(gone, twice)
        self._interfaces.clear()

    # --- the addresses that interfaces have

    def bind_all(self, sw_if_index: int) -> None:
        """An interface became an outside one: the first address of the pool that it has is bound to it."""
        for entry in self.pool(False):
            if self._bind_to(entry, sw_if_index):
                break
        self._write(False)

    def _bind(self, entry: PoolAddress, outside: list[int]) -> None:
        for sw_if_index in outside:
            if self._bind_to(entry, sw_if_index):
                return

    def _bind_to(self, entry: PoolAddress, sw_if_index: int) -> bool:
        if entry.vrf is None or not self._is_of_table(entry.vrf, sw_if_index):
            return False
        for own in self._engine.addresses.of(sw_if_index):
            if int(own) == entry.address:
                entry.sw_if_index, entry.length = sw_if_index, own.network.prefixlen
                return True
        return False

    def _changed(self, sw_if_index: int, address: IPv4Interface, added: bool) -> None:
        if not self._nat.enabled:
            return
        self._nat.interfaces.addresses_changed(sw_if_index)
        self._follow(sw_if_index, int(address), added, address.network.prefixlen)
        self._nat.mappings.address_changed(sw_if_index, int(address), added)

    def _follow(self, sw_if_index: int, address: int, added: bool, length: int) -> None:
        # as in VPP one record an interface, the pool's rather than twice-NAT's
        mine = [i for i in self._interfaces if i.sw_if_index == sw_if_index]
        if not mine:
            self._bind_own(sw_if_index, address, length if added else None)
            return
        record = min(mine, key=lambda i: i.twice_nat)
        try:
            if added and record.resolved is None:
                self.add(address, None, record.twice_nat)
                record.resolved = address
            elif not added and record.resolved is not None:
                self.delete(address, record.twice_nat)
                record.resolved = None
        except Nat44Error:
            pass  # another one has it: VPP leaves it at that

    def _bind_own(self, sw_if_index: int, address: int, length: int | None) -> None:
        at = self._places[0].get(address)
        if at is None:
            return
        entry = self.pool(False)[at]
        if entry.vrf is not None and self._is_of_table(entry.vrf, sw_if_index):
            entry.length = length
            if length is not None:
                entry.sw_if_index = sw_if_index
            self._write(False)

    def _is_of_table(self, vrf: int, sw_if_index: int) -> bool:
        return self._engine.routes.control.fib_index(vrf) == self._engine.addresses.fib_of(sw_if_index)

    def _write(self, twice_nat: bool) -> None:
        index = self._engine.routes.control.fib_index
        self._nat.tables.set_pool(
            twice_nat,
            [
                (
                    p.address,
                    -1 if p.vrf is None else index(p.vrf),
                    -1 if p.sw_if_index is None else p.sw_if_index,
                    -1 if p.length is None else p.length,
                )
                for p in self.pool(twice_nat)
            ],
        )
