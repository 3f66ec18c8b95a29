"""Addresses need their interface, in the table where it is to stay."""

from __future__ import annotations

from vectorplane.backends.items import InterfaceAddress
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def addresses_of(interface: str) -> str:
    """The name that the addresses of an interface provide."""
    return f"addresses of {interface}"


def _needs(item: InterfaceAddress) -> tuple[Need, ...]:
    return (
        keys.interface(item.interface),
        keys.settled_table(item.interface, item.address.version == 6),
    )


def _provides(item: InterfaceAddress) -> tuple[str, ...]:
    return (addresses_of(item.interface),)


ADDRESS = Descriptor(InterfaceAddress, 6, _needs, _provides)
