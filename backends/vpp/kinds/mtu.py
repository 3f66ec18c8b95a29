"""Largest L3 packets: ``sw_interface_set_mtu``; the protocols' own are left to follow it (0)."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.devices import TUNNELS
from vectorplane.backends.items import InterfaceMtu
from vectorplane.backends.vpp.interfaces import Known
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps

_USUAL = 9000


def usual(known: Known) -> int:
    """What an interface has when nobody told; a sub-interface has none of its own."""
    if known.parent is not None:
        return 0
    # a GRE tunnel of frames begins with more than its device says
    return _USUAL if known.device in TUNNELS else min(_USUAL, known.details.link_mtu or _USUAL)


class Mtus(Kind[InterfaceMtu]):
    """See the module."""

    item = InterfaceMtu
    title = "MTUs"
    messages = (("sw_interface_set_mtu",),)

    def create(self, item: InterfaceMtu) -> Steps:
        """Set it."""
        yield self._set(self.index(item.interface), item.mtu)

    def update(self, old: InterfaceMtu, new: InterfaceMtu) -> Steps:
        """Set the new one."""
        yield from self.create(new)

    def delete(self, item: InterfaceMtu) -> Steps:
        """Back to the usual one."""
        known = self.link.interfaces[item.interface]
        yield self._set(known.index, usual(known))

    def _set(self, index: int, mtu: int) -> Message:
        return "sw_interface_set_mtu", {"sw_if_index": index, "mtu": [mtu, 0, 0, 0]}

    def dump(self) -> Iterable[InterfaceMtu]:
        """Those that are not the usual ones."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            mtu = known.details.mtu[0]
            if mtu not in (0, usual(known)):
                yield InterfaceMtu(known.name, mtu)
