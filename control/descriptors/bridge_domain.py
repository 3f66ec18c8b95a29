"""Bridge domains: what they do with frames can change in place; a tag only comes with a new one."""

from __future__ import annotations

from vectorplane.backends.items import BridgeDomain
from vectorplane.control.descriptors.descriptor import Descriptor


def _in_place(old: BridgeDomain, new: BridgeDomain) -> bool:
    return old.tag == new.tag


BRIDGE_DOMAIN = Descriptor(BridgeDomain, 4, in_place=_in_place)
