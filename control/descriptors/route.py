"""Routes need their table, and the interfaces and tables of all their paths; next hops need nothing.

A next hop may lie outside the prefixes of its interface, and one that is to be looked up may lead nowhere yet: VPP
takes both, and forwards by them once they can be resolved.
"""

from __future__ import annotations

from vectorplane.backends.items import Route
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Route) -> tuple[Need, ...]:
    ip6 = item.prefix.version == 6
    needs = keys.table(item.table, ip6) + keys.paths(item.paths, ip6)
    return needs if len(needs) < 2 else tuple(dict.fromkeys(needs))


def _in_place(old: Route, new: Route) -> bool:
    return True


ROUTE = Descriptor(Route, 11, _needs, in_place=_in_place)
