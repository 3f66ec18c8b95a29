"""Cutting TCP into segments in software, by interface: nodes gso-ip4 and gso-l2-ip4 of what leaves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

_ROUTED, _BRIDGED = ("ip4-output", "gso-ip4"), ("l2-output-ip4", "gso-l2-ip4")


class SoftwareGso:
    """See the module's docstring."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def enable(self, sw_if_index: int, on: bool = True) -> None:
        """TCP that is still to be cut is cut before it leaves by the interface. Raises `KeyError`: there is none."""
        self._engine.interfaces[sw_if_index]
        if on != self.enabled(sw_if_index):
            arc, node = _ROUTED
            self._engine.plane.arcs[arc].enable(sw_if_index, node, on)
            self._engine.routes.features_changed(sw_if_index)
            self._engine.l2_features.enable(*_BRIDGED, sw_if_index, on)

    def enabled(self, sw_if_index: int) -> bool:
        """Is that so?"""
        arc, node = _ROUTED
        return node in self._engine.plane.arcs[arc].chain(sw_if_index)
