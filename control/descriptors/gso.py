"""Cutting TCP for an interface needs the interface."""

from __future__ import annotations

from vectorplane.backends.items import SoftwareGso
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: SoftwareGso) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


GSO = Descriptor(SoftwareGso, 9, _needs)
