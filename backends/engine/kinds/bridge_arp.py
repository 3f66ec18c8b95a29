"""Neighbours that bridge domains answer for."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.interfaces import mac_bytes, mac_text
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import BridgeArp


class BridgeArps(Kind[BridgeArp]):
    """See the module."""

    item = BridgeArp

    def create(self, item: BridgeArp) -> None:
        """Answer for it."""
        self.engine.bridges.set_ip_mac(item.domain, item.address, mac_bytes(item.mac))

    def update(self, old: BridgeArp, new: BridgeArp) -> None:
        """With another MAC."""
        self.create(new)

    def delete(self, item: BridgeArp) -> None:
        """No longer."""
        if not self.engine.bridges.remove_ip_mac(item.domain, item.address, mac_bytes(item.mac)):
            raise BackendError(f"there is no {item.address} with {item.mac}")

    def dump(self) -> Iterable[BridgeArp]:
        """All."""
        for number, domain in sorted(self.engine.bridges.domains.items()):
            for address, mac in domain.ip_macs.items():
                yield BridgeArp(number, address, mac_text(mac))
