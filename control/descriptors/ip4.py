"""IPv4 on interfaces without addresses."""

from __future__ import annotations

from vectorplane.backends.items import Ip4Enabled
from vectorplane.control.descriptors import keys
from vectorplane.control.descriptors.descriptor import Descriptor
from vectorplane.control.descriptors.need import Need


def _needs(item: Ip4Enabled) -> tuple[Need, ...]:
    return (keys.interface(item.interface),)


IP4 = Descriptor(Ip4Enabled, 5, _needs)
