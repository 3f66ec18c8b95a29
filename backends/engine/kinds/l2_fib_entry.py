"""MAC addresses that bridge domains were told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.interfaces import mac_bytes, mac_text
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import L2FibEntry


class L2FibEntries(Kind[L2FibEntry]):
    """See the module."""

    item = L2FibEntry

    def create(self, item: L2FibEntry) -> None:
        """Enter it; one that was learnt is replaced."""
        mac = mac_bytes(item.mac)
        if not item.interface:
            self.engine.l2fib.add_filter(item.domain, mac)
            return
        index = self.index(item.interface)
        port = self.engine.bridges.port(index)
        if port is None or port.domain is None or port.domain.id != item.domain:
            raise BackendError(f"{item.interface} is no port of bridge domain {item.domain}")
        self.engine.l2fib.add(item.domain, mac, index, static=item.static)

    def update(self, old: L2FibEntry, new: L2FibEntry) -> None:
        """Elsewhere."""
        self.create(new)

    def delete(self, item: L2FibEntry) -> None:
        """Take it out."""
        self.engine.l2fib.remove(item.domain, mac_bytes(item.mac))

    def dump(self) -> Iterable[L2FibEntry]:
        """Those that were told, but for the bridge domains' own interfaces."""
        for entry in self.engine.l2fib.dump():
            name = "" if entry.filter else self.name(entry.sw_if_index)
            if (
                entry.age_not
                and not entry.bvi
                and (name or entry.filter)
                and entry.bd_id in self.engine.bridges.domains
            ):
                yield L2FibEntry(entry.bd_id, mac_text(entry.mac), name, entry.static)

    def canonical(self, item: L2FibEntry) -> L2FibEntry:
        """A filter is static, whatever was said."""
        return item if item.interface else replace(item, static=True)
