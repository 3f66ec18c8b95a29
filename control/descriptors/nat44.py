"""NAT44: everything needs it to be on; what names an interface or a table needs that, too."""

from __future__ import annotations

from typing import Any

from vectorplane.backends.items import (
    Nat44,
    NatAddress,
    NatIdentity,
    NatInterface,
    NatInterfaceAddress,
    NatService,
    NatStatic,
)
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need

_ON = Need("nat44", text="NAT44")


def _tables(*numbers: int) -> tuple[Need, ...]:
    return tuple(need for number in dict.fromkeys(numbers) for need in keys.table(number, False))


def _nat_needs(item: Nat44) -> tuple[Need, ...]:
    return _tables(item.inside_table, item.outside_table)


def _nat_in_place(old: Nat44, new: Nat44) -> bool:
    mine, other = ((n.inside_table, n.outside_table, n.sessions) for n in (old, new))
    return mine == other


def _address_needs(item: NatAddress) -> tuple[Need, ...]:
    return (_ON, *_tables(item.table))


def _of_interface(item: Any) -> tuple[Need, ...]:
    return (_ON, keys.interface(item.interface))


def _interface_needs(item: NatInterface) -> tuple[Need, ...]:
    return (_ON, keys.interface(item.interface), keys.settled_table(item.interface, False))


def _static_needs(item: NatStatic) -> tuple[Need, ...]:
    of = (keys.interface(item.interface),) if item.interface else ()
    exact = (Need(f"nat44/twice-nat/{item.pool}", text=f"twice-NAT address {item.pool}"),) if item.pool else ()
    return (_ON, *of, *exact, *_tables(item.table))


def _service_needs(item: NatService) -> tuple[Need, ...]:
    pool = Need(f"nat44/address/{item.external}", text=f"NAT address {item.external}")
    return (_ON, *(() if item.out2in_only else (pool,)), *_tables(*(b.table for b in item.backends)))


def _service_in_place(old: NatService, new: NatService) -> bool:
    """Backends come and go, and get other shares, while it works; when none stays, nothing of it would."""
    same = (old.twice, old.out2in_only, old.affinity, old.tag) == (new.twice, new.out2in_only, new.affinity, new.tag)
    before, after = ({(b.address, b.port, b.table) for b in item.backends} for item in (old, new))
    return same and not before.isdisjoint(after)


def _identity_needs(item: NatIdentity) -> tuple[Need, ...]:
    of = (keys.interface(item.interface),) if item.interface else ()
    return (_ON, *of, *_tables(item.table))


NAT44 = Descriptor(Nat44, 4, _nat_needs, in_place=_nat_in_place)
NAT_INTERFACE = Descriptor(NatInterface, 10, _interface_needs)
NAT_ADDRESS = Descriptor(NatAddress, 11, _address_needs)
NAT_INTERFACE_ADDRESS = Descriptor(NatInterfaceAddress, 11, _of_interface)
NAT_STATIC = Descriptor(NatStatic, 12, _static_needs, untold=("pool",))
NAT_SERVICE = Descriptor(NatService, 12, _service_needs, in_place=_service_in_place, untold=("affinity",))
NAT_IDENTITY = Descriptor(NatIdentity, 12, _identity_needs)
