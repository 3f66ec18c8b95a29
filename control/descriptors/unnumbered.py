"""Unnumbered interfaces need an address to borrow, and both interfaces in the same tables for good.

VPP notes the lender's first address when the interface becomes unnumbered and does not look again: so it comes after
the lender's addresses, and is brought anew when one of them goes.
"""

from __future__ import annotations

from vectorplane.backends.items import Unnumbered
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.address import addresses_of
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import ANY, Need


def _needs(item: Unnumbered) -> tuple[Need, ...]:
    return (
        keys.interface(item.interface),
        keys.interface(item.lender),
        Need(addresses_of(item.lender), ANY, f"an address of interface {item.lender}"),
        *(keys.settled_table(name, ip6) for name in (item.interface, item.lender) for ip6 in (False, True)),
    )


UNNUMBERED = Descriptor(Unnumbered, 7, _needs)
