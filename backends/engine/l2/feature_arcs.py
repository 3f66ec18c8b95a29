"""Features of bridged frames, by port: on its arc, and the bit that leads there in the port's feature bitmap.

A port that leaves L2 loses all bits (as in VPP); one that comes back gets this one again while it has features, which
VPP forgets: an ACL that is said to apply must apply.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.graph_nodes.l2.feature_arcs import INPUT_ARCS, OUTPUT_ARCS
from vectorplane.graph_nodes.l2.features import FEAT_ARC, OUT_FEAT_ARC

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class L2Features:
    """See the module's docstring."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def enable(self, arc: str, feature: str, sw_if_index: int, on: bool = True) -> None:
        """Switch a feature of an arc on (counted) or off for a port.

        Raises:
            KeyError: no such arc, or the arc has no such feature.
        """
        self._engine.plane.arcs[arc].enable(sw_if_index, feature, on)
        self._write(sw_if_index)

    def joins_l2(self, sw_if_index: int) -> None:
        """The interface is a port now, or another one."""
        self._write(sw_if_index)
        self._engine.macips.joins_l2(sw_if_index)

    def _write(self, sw_if_index: int) -> None:
        arcs, bridges = self._engine.plane.arcs, self._engine.bridges
        wanted = any(arcs[arc].chain(sw_if_index) for arc in INPUT_ARCS)
        if bool(bridges.port_features(sw_if_index) & FEAT_ARC) != wanted:
            bridges.set_port_features(sw_if_index, FEAT_ARC, wanted)
        bridges.set_output_features(sw_if_index, OUT_FEAT_ARC, any(arcs[arc].chain(sw_if_index) for arc in OUTPUT_ARCS))
