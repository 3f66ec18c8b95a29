"""Which table an interface is in: ``sw_interface_set_table``, ``sw_interface_get_table``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import InterfaceTable
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps


class Bindings(Kind[InterfaceTable]):
    """See the module."""

    item = InterfaceTable
    title = "tables of interfaces"
    messages = (("sw_interface_set_table",), ("sw_interface_get_table",))

    def create(self, item: InterfaceTable) -> Steps:
        """Put it there."""
        yield self._set(item, item.table)

    def update(self, old: InterfaceTable, new: InterfaceTable) -> Steps:
        """Put it elsewhere."""
        yield self._set(new, new.table)

    def delete(self, item: InterfaceTable) -> Steps:
        """Back to table 0."""
        yield self._set(item, 0)

    def _set(self, item: InterfaceTable, table: int) -> Message:
        fields = {"sw_if_index": self.index(item.interface), "is_ipv6": item.ip6, "vrf_id": table}
        return "sw_interface_set_table", fields

    def dump(self) -> Iterable[InterfaceTable]:
        """Those that are not in table 0."""
        self.link.interfaces.refresh()
        send = self.link.connection.send
        asked = [
            (known.name, ip6, send("sw_interface_get_table", sw_if_index=known.index, is_ipv6=ip6))
            for known in self.link.interfaces
            for ip6 in (False, True)
        ]
        for name, ip6, request in asked:
            reply = self.link.connection.finish(request)
            if reply.retval == 0 and reply.vrf_id:
                yield InterfaceTable(name, reply.vrf_id, ip6)
