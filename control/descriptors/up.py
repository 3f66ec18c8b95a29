"""Interfaces go up last, when all is ready for their packets; a sub-interface only when its parent is up."""

from __future__ import annotations

from vectorplane.backends.items import InterfaceUp, SubInterface
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import THERE, Lookup, Need


def _needs(item: InterfaceUp) -> tuple[Need, ...]:
    own = keys.interface(item.interface)
    parent, dot, _ = item.interface.rpartition(".")
    if not dot:
        return (own,)

    def is_sub(lookup: Lookup) -> bool:
        # an interface with a device of its own may have a dot in its name too
        return isinstance(lookup(own.key), SubInterface)

    return (own, Need(f"interface/{parent}/up", THERE, f"interface {parent} to be up", is_sub))


UP = Descriptor(InterfaceUp, 12, _needs)
