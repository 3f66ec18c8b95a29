"""Neighbours that bridge domains answer for: ``bd_ip_mac_add_del``, ``bd_ip_mac_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import BridgeArp
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.values import address_of, mac_text, pack_address, pack_mac


class BridgeArps(Kind[BridgeArp]):
    """See the module."""

    item = BridgeArp
    title = "neighbours of bridge domains"
    messages = (("bd_ip_mac_add_del",), ("bd_ip_mac_dump",))

    def create(self, item: BridgeArp) -> Steps:
        """Answer for it."""
        yield self._message(True, item)

    def update(self, old: BridgeArp, new: BridgeArp) -> Steps:
        """With another MAC."""
        yield self._message(True, new)

    def delete(self, item: BridgeArp) -> Steps:
        """No longer."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: BridgeArp) -> Message:
        entry = {"bd_id": item.domain, "ip": pack_address(item.address), "mac": pack_mac(item.mac)}
        return "bd_ip_mac_add_del", {"is_add": is_add, "entry": entry}

    def dump(self) -> Iterable[BridgeArp]:
        """All."""
        for details in self.link.connection.details("bd_ip_mac_dump", bd_id=NO_INTERFACE):
            e = details.entry
            yield BridgeArp(e.bd_id, address_of(e.ip), mac_text(e.mac))
