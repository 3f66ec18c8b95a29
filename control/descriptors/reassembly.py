"""Reassembly on an interface needs the interface."""

from __future__ import annotations

from vectorplane.backends.items import Reassembly
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Reassembly) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


REASSEMBLY = Descriptor(Reassembly, 9, _needs)
