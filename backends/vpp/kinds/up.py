"""Administrative state: ``sw_interface_set_flags``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import InterfaceUp
from vectorplane.backends.vpp.interfaces import UP
from vectorplane.backends.vpp.kinds.kind import Kind, Steps


class Ups(Kind[InterfaceUp]):
    """See the module."""

    item = InterfaceUp
    title = "states of interfaces"
    messages = (("sw_interface_set_flags",),)

    def create(self, item: InterfaceUp) -> Steps:
        """Up."""
        yield "sw_interface_set_flags", {"sw_if_index": self.index(item.interface), "flags": UP}

    def delete(self, item: InterfaceUp) -> Steps:
        """Down."""
        yield "sw_interface_set_flags", {"sw_if_index": self.index(item.interface), "flags": 0}

    def dump(self) -> Iterable[InterfaceUp]:
        """Those that are up."""
        self.link.interfaces.refresh()
        for known in self.link.interfaces:
            if int(known.details.flags) & UP:
                yield InterfaceUp(known.name)
