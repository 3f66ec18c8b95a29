"""Which table an interface is in."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import InterfaceTable


class Bindings(Kind[InterfaceTable]):
    """See the module."""

    item = InterfaceTable

    def create(self, item: InterfaceTable) -> None:
        """Put it there."""
        self._set(item, item.table)

    def update(self, old: InterfaceTable, new: InterfaceTable) -> None:
        """Put it elsewhere."""
        self._set(new, new.table)

    def delete(self, item: InterfaceTable) -> None:
        """Back to table 0."""
        self._set(item, 0)

    def _set(self, item: InterfaceTable, table: int) -> None:
        index = self.index(item.interface)
        if item.ip6:
            self.engine.addresses6.set_table(index, table)
        else:
            self.engine.interfaces.set_table(index, table)

    def dump(self) -> Iterable[InterfaceTable]:
        """Those that are not in table 0."""
        fibs = self.engine.routes.control.fibs
        for interface in self.each():
            table = fibs.id_of(int(self.engine.interfaces.record(interface.sw_if_index)["ip4_table"]))
            if table:
                yield InterfaceTable(interface.name, table)
            table6 = self.engine.addresses6.table_of(interface.sw_if_index)
            if table6:
                yield InterfaceTable(interface.name, table6, True)
