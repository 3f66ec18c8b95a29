"""MAC addresses that were told: ``sw_interface_set_mac_address``. The tag's word ``mac`` says that one was told."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import InterfaceMac
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.kinds.noted import note
from vectorplane.backends.vpp.values import mac_text, pack_mac

WORD = "mac"


class Macs(Kind[InterfaceMac]):
    """See the module."""

    item = InterfaceMac
    title = "MAC addresses"
    messages = (("sw_interface_set_mac_address",),)
    single = False

    def create(self, item: InterfaceMac) -> Steps:
        """Set it, then remember."""
        yield self._set(item)
        yield from note(self.link, item.interface, WORD, True)

    def update(self, old: InterfaceMac, new: InterfaceMac) -> Steps:
        """Set the new one."""
        yield self._set(new)

    def delete(self, item: InterfaceMac) -> Steps:
        """Forget that it was told; VPP does not know which one the interface had before, so it stays."""
        yield from note(self.link, item.interface, WORD, False)

    def _set(self, item: InterfaceMac) -> Message:
        fields = {"sw_if_index": self.index(item.interface), "mac_address": pack_mac(item.mac)}
        return "sw_interface_set_mac_address", fields

    def dump(self) -> Iterable[InterfaceMac]:
        """Those that were told."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            if WORD in (known.words or ()):
                yield InterfaceMac(known.name, mac_text(known.details.l2_address))
