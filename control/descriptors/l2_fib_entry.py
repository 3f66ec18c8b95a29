"""Addresses that a bridge domain is told need the domain, and their interface as a port of it that stays as it is."""

from __future__ import annotations

from vectorplane.backends.items import L2FibEntry
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.bridge_port import port_of
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import ANY, Need


def _needs(item: L2FibEntry) -> tuple[Need, ...]:
    domain = keys.bridge_domain(item.domain)
    if not item.interface:
        return (domain,)
    return (domain, Need(port_of(item.interface, item.domain), ANY), keys.settled_port(item.interface))


def _in_place(old: L2FibEntry, new: L2FibEntry) -> bool:
    return True


L2_FIB_ENTRY = Descriptor(L2FibEntry, 7, _needs, in_place=_in_place)
