"""Cutting TCP into segments for interfaces that can't do it themselves."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import SoftwareGso


class SoftwareGsos(Kind[SoftwareGso]):
    """See the module."""

    item = SoftwareGso

    def create(self, item: SoftwareGso) -> None:
        """On."""
        self.engine.gso.enable(self.index(item.interface), True)

    def delete(self, item: SoftwareGso) -> None:
        """Off."""
        self.engine.gso.enable(self.index(item.interface), False)

    def dump(self) -> Iterable[SoftwareGso]:
        """All."""
        for interface in self.each():
            if self.engine.gso.enabled(interface.sw_if_index):
                yield SoftwareGso(interface.name)
