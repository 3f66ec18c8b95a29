"""Reassembly of the fragments that interfaces receive."""

from __future__ import annotations

from collections.abc import Iterable

from vectorplane.backends.base import BackendError
from vectorplane.backends.engine.kinds.kind import Kind
from vectorplane.backends.items import REASSEMBLIES, Reassembly


class Reassemblies(Kind[Reassembly]):
    """See the module."""

    item = Reassembly

    def create(self, item: Reassembly) -> None:
        """On."""
        self._enable(item, True)

    def delete(self, item: Reassembly) -> None:
        """Off."""
        self._enable(item, False)

    def _enable(self, item: Reassembly, on: bool) -> None:
        if item.how not in REASSEMBLIES:
            raise BackendError(f"reassembly is one of {', '.join(REASSEMBLIES)}, not {item.how}")
        reassembly = self.engine.reassembly if item.how == "full" else self.engine.sv_reassembly
        reassembly.enable(self.index(item.interface), on)

    def dump(self) -> Iterable[Reassembly]:
        """All."""
        full, virtual = self.engine.reassembly, self.engine.sv_reassembly
        for interface in self.each():
            for how, on in zip(REASSEMBLIES, (full.enabled, virtual.enabled), strict=True):
                if on(interface.sw_if_index):
                    yield Reassembly(interface.name, how)
