"""Cross-connects need both interfaces."""

from __future__ import annotations

from vectorplane.backends.items import L2Xconnect
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: L2Xconnect) -> tuple[Need, ...]:
    return (keys.interface(item.interface), keys.interface(item.to))


def _in_place(old: L2Xconnect, new: L2Xconnect) -> bool:
    return True


L2_XCONNECT = Descriptor(L2Xconnect, 5, _needs, in_place=_in_place)
