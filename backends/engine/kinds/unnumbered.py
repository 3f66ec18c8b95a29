"""Interfaces that borrow addresses."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import Unnumbered


class Unnumbereds(Kind[Unnumbered]):
    """See the module."""

    item = Unnumbered

    def create(self, item: Unnumbered) -> None:
        """Borrow."""
        self.engine.addresses.set_unnumbered(self.index(item.interface), self.index(item.lender))

    def update(self, old: Unnumbered, new: Unnumbered) -> None:
        """Borrow from another."""
        self.create(new)

    def delete(self, item: Unnumbered) -> None:
        """Give back."""
        self.engine.addresses.set_unnumbered(self.index(item.interface), None)

    def dump(self) -> Iterable[Unnumbered]:
        """All."""
        for interface in self.each():
            if interface.unnumbered is not None:
                yield Unnumbered(interface.name, self.name(interface.unnumbered))
