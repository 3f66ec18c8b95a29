"""Neighbours that a bridge domain answers for need the domain."""

from __future__ import annotations

from vectorplane.backends.items import BridgeArp
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: BridgeArp) -> tuple[Need, ...]:
    return (keys.bridge_domain(item.domain),)


def _in_place(old: BridgeArp, new: BridgeArp) -> bool:
    return True


BRIDGE_ARP = Descriptor(BridgeArp, 7, _needs, in_place=_in_place)
