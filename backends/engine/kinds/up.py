"""Administrative state."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import InterfaceUp


class Ups(Kind[InterfaceUp]):
    """See the module."""

    item = InterfaceUp

    def create(self, item: InterfaceUp) -> None:
        """Up."""
        self.engine.interfaces.set_up(self.index(item.interface))

    def delete(self, item: InterfaceUp) -> None:
        """Down."""
        self.engine.interfaces.set_up(self.index(item.interface), False)

    def dump(self) -> Iterable[InterfaceUp]:
        """Those that are up."""
        for interface in self.each():
            if self.engine.interfaces.is_up(interface.sw_if_index):
                yield InterfaceUp(interface.name)
