"""Neighbours of an engine's interfaces (ARP)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class Neighbours:
    """Neighbours, static and learnt."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def interface_changed(self, sw_if_index: int) -> None:
        """An interface went up or down, or its properties changed."""
