"""Interfaces that borrow addresses: ``sw_interface_set_unnumbered``, ``ip_unnumbered_dump``."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.items import Unnumbered
from vectorplane.backends.vpp.interfaces import NO_INTERFACE
from vectorplane.backends.vpp.kinds.kind import Kind, Message, Steps


class Unnumbereds(Kind[Unnumbered]):
    """See the module."""

    item = Unnumbered
    title = "unnumbered interfaces"
    messages = (("sw_interface_set_unnumbered",), ("ip_unnumbered_dump",))

    def create(self, item: Unnumbered) -> Steps:
        """Borrow."""
        yield self._message(True, item)

    def delete(self, item: Unnumbered) -> Steps:
        """Give back."""
        yield self._message(False, item)

    def _message(self, is_add: bool, item: Unnumbered) -> Message:
        fields = {
            "sw_if_index": self.index(item.lender),
            "unnumbered_sw_if_index": self.index(item.interface),
            "is_add": is_add,
        }
        return "sw_interface_set_unnumbered", fields

    def dump(self) -> Iterable[Unnumbered]:
        """All."""
        interfaces = self.link.interfaces
        interfaces.refresh()
        for details in self.link.connection.details("ip_unnumbered_dump", sw_if_index=NO_INTERFACE):
            borrower, lender = interfaces.name(details.sw_if_index), interfaces.name(details.ip_sw_if_index)
            if borrower is not None and lender is not None:
                yield Unnumbered(borrower, lender)
