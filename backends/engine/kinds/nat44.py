"""NAT44: the plugin, its pools and what interfaces are to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from typing import Any

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.engine.nat44 import interfaces
from vectorplane.backends.engine.nat44.errors import Nat44Error
from vectorplane.backends.engine.nat44.nat44 import Timeouts
from vectorplane.backends.items import NAT_ROLES, Nat44, NatAddress, NatInterface, NatInterfaceAddress

_ROLES = {"inside": interfaces.INSIDE, "outside": interfaces.OUTSIDE, "both": interfaces.INSIDE | interfaces.OUTSIDE}


def attempt(change: Callable[..., Any], *args: Any) -> None:
    """Do it. Raises `BackendError`."""
    try:
        change(*args)
    except (Nat44Error, ValueError, OverflowError) as error:
        raise BackendError(str(error)) from None


def vrf_of(table: int) -> int | None:
    """A table id; None: any."""
    return None if table < 0 else table


class Nat44s(Kind[Nat44]):
    """See the module."""

    item = Nat44

    def create(self, item: Nat44) -> None:
        """On."""
        attempt(self.engine.nat44.enable, item.inside_table, item.outside_table, item.sessions)
        self.update(item, item)

    def update(self, old: Nat44, new: Nat44) -> None:
        """Other settings."""
        nat = self.engine.nat44
        nat.set_forwarding(new.forwarding)
        attempt(nat.set_timeouts, Timeouts(*new.timeouts))
        attempt(nat.set_mss_clamping, new.mss)

    def delete(self, item: Nat44) -> None:
        """Off."""
        attempt(self.engine.nat44.disable)

    def dump(self) -> Iterable[Nat44]:
        """It, when it is on."""
        nat = self.engine.nat44
        if nat.enabled:
            yield Nat44(
                nat.inside_vrf, nat.outside_vrf, nat.sessions_limit, nat.forwarding, *nat.timeouts, nat.mss_clamping
            )


class NatAddresses(Kind[NatAddress]):
    """See the module."""

    item = NatAddress

    def create(self, item: NatAddress) -> None:
        """One more."""
        attempt(self.engine.nat44.addresses.add, int(item.address), vrf_of(item.table), item.twice_nat)

    def delete(self, item: NatAddress) -> None:
        """One less."""
        attempt(self.engine.nat44.addresses.delete, int(item.address), item.twice_nat)

    def dump(self) -> Iterable[NatAddress]:
        """All but those that are an interface's."""
        pools = self.engine.nat44.addresses
        for twice in (False, True):
            of_interfaces = pools.resolved(twice)
            for entry in pools.pool(twice):
                if entry.address not in of_interfaces:
                    yield NatAddress(IPv4Address(entry.address), -1 if entry.vrf is None else entry.vrf, twice)


class NatInterfaceAddresses(Kind[NatInterfaceAddress]):
    """See the module."""

    item = NatInterfaceAddress

    def create(self, item: NatInterfaceAddress) -> None:
        """It belongs to the pool."""
        attempt(self.engine.nat44.addresses.add_interface, self.index(item.interface), item.twice_nat)

    def delete(self, item: NatInterfaceAddress) -> None:
        """Not any more."""
        attempt(self.engine.nat44.addresses.delete_interface, self.index(item.interface), item.twice_nat)

    def dump(self) -> Iterable[NatInterfaceAddress]:
        """All."""
        for index, twice in self.engine.nat44.addresses.interfaces:
            if self.name(index):
                yield NatInterfaceAddress(self.name(index), twice)


class NatInterfaces(Kind[NatInterface]):
    """See the module."""

    item = NatInterface

    def create(self, item: NatInterface) -> None:
        """It has that role."""
        self._change(item, True)

    def delete(self, item: NatInterface) -> None:
        """Not any more."""
        self._change(item, False)

    def _change(self, item: NatInterface, on: bool) -> None:
        if item.role not in NAT_ROLES:
            raise BackendError(f"an interface is one of {', '.join(NAT_ROLES)} to NAT, not {item.role}")
        roles = self.engine.nat44.interfaces
        index = self.index(item.interface)
        if item.role == "output":
            attempt(roles.add_output if on else roles.delete_output, index)
        for name, is_inside in (("inside", True), ("outside", False)):
            if item.role in (name, "both"):
                attempt(roles.add if on else roles.delete, index, is_inside)

    def dump(self) -> Iterable[NatInterface]:
        """All."""
        roles = self.engine.nat44.interfaces
        names = {bits: name for name, bits in _ROLES.items()}
        found = [(i, names[bits]) for i, bits in roles.roles.items()] + [(i, "output") for i in roles.outputs]
        for index, role in found:
            if self.name(index):
                yield NatInterface(self.name(index), role)
