"""MAC addresses that bridge domains were told: ``l2fib_add_del``, ``l2_fib_table_dump``.

The dump does not tell an address that was told and may move from one that was learnt: only static ones can be held.
"""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.items import L2FibEntry
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps
from vectorplane.backends.vpp.values import mac_text, pack_mac


class L2FibEntries(Kind[L2FibEntry]):
    """See the module."""

    item = L2FibEntry
    title = "MAC addresses of bridge domains"
    messages = (("l2fib_add_del",), ("l2_fib_table_dump",))

    def create(self, item: L2FibEntry) -> Steps:
        """Enter it; one that was learnt is replaced."""
        yield self._message(True, self.canonical(item))

    def update(self, old: L2FibEntry, new: L2FibEntry) -> Steps:
        """Elsewhere."""
        yield from self.create(new)

    def delete(self, item: L2FibEntry) -> Steps:
        """Take it out."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: L2FibEntry) -> Message:
        return "l2fib_add_del", {
            "mac": pack_mac(item.mac),
            "bd_id": item.domain,
            "sw_if_index": self.index(item.interface) if item.interface else NO_INTERFACE,
            "is_add": is_add,
            "static_mac": True,
            "filter_mac": not item.interface,
        }

    def dump(self) -> Iterable[L2FibEntry]:
        """The static ones, but for the bridge domains' own interfaces."""
        self.link.interfaces.refresh()
        for d in self.link.connection.details("l2_fib_table_dump", bd_id=NO_INTERFACE):
            name = "" if d.filter_mac else self.link.interfaces.name(d.sw_if_index)
            if name is not None and d.static_mac and not d.bvi_mac:
                yield L2FibEntry(d.bd_id, mac_text(d.mac), name)

    def canonical(self, item: L2FibEntry) -> L2FibEntry:
        """A filter is static, whatever was said."""
        if item.interface and not item.static:
            raise BackendError(f"{item.mac}: VPP does not tell an entry that may move from a learnt one")
        return L2FibEntry(item.domain, item.mac, item.interface)
