"""Interfaces: another device, or other settings of it, make another interface. Tunnels need what they lead through."""

from __future__ import annotations

from vectorplane.backends.devices import TUNNELS
from vectorplane.backends.items import Interface
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Interface) -> tuple[Need, ...]:
    if item.device not in TUNNELS:
        return ()
    given = dict(item.options)
    table, multicast = given.get("table", 0), given.get("multicast_interface")
    needs = keys.table(table, getattr(given.get("src"), "version", 4) == 6) if isinstance(table, int) else ()
    return (*needs, keys.interface(multicast)) if isinstance(multicast, str) else needs


INTERFACE = Descriptor(Interface, 1, _needs)
