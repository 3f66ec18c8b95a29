"""L2 cross-connects: ``sw_interface_set_l2_xconnect``, ``l2_xconnect_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import L2Xconnect
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps


class L2Xconnects(Kind[L2Xconnect]):
    """See the module."""

    item = L2Xconnect
    title = "L2 cross-connects"
    messages = (("sw_interface_set_l2_xconnect",), ("l2_xconnect_dump",))

    def create(self, item: L2Xconnect) -> Steps:
        """Connect it."""
        yield self._message(True, item)

    def update(self, old: L2Xconnect, new: L2Xconnect) -> Steps:
        """To another interface."""
        yield self._message(True, new)

    def delete(self, item: L2Xconnect) -> Steps:
        """Back to L3."""
        yield self._message(False, item)

    def _message(self, enable: bool, item: L2Xconnect) -> Message:
        fields = {"rx_sw_if_index": self.index(item.interface), "tx_sw_if_index": self.index(item.to), "enable": enable}
        return "sw_interface_set_l2_xconnect", fields

    def dump(self) -> Iterable[L2Xconnect]:
        """All."""
        self.link.interfaces.refresh()
        name_of = self.link.interfaces.name
        for d in self.link.connection.details("l2_xconnect_dump"):
            source, to = name_of(d.rx_sw_if_index), name_of(d.tx_sw_if_index)
            if source is not None and to is not None:
                yield L2Xconnect(source, to)
