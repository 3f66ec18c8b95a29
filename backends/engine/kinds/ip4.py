"""IPv4 on interfaces without addresses. The engine counts: each address is one reason, being unnumbered is one."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import Ip4Enabled


class Ip4(Kind[Ip4Enabled]):
    """See the module."""

    item = Ip4Enabled

    def create(self, item: Ip4Enabled) -> None:
        """One more reason."""
        self.engine.interfaces.enable_ip4(self.index(item.interface))

    def delete(self, item: Ip4Enabled) -> None:
        """One reason less."""
        self.engine.interfaces.enable_ip4(self.index(item.interface), False)

    def dump(self) -> Iterable[Ip4Enabled]:
        """Those with another reason than addresses."""
        for interface in self.each():
            count = int(self.engine.interfaces.record(interface.sw_if_index)["ip4_enabled"])
            if count > len(interface.addresses) + (interface.unnumbered is not None):
                yield Ip4Enabled(interface.name)
