"""``/acl/N/matches`` in the statistics segment: packets and bytes that met each rule of an ACL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.stats import Vector
from vectorplane.graph_nodes.acl.tables import AclTables

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


class MatchCounters:
    """The counters of an engine's ACLs. As in VPP they begin anew with every change of the ACL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._vectors: dict[int, Vector] = {}

    def prepare(self, index: int, rules: int) -> None:
        """An ACL has so many rules now: a counter each, and one more, as in VPP."""
        plane = self._engine.plane
        vector = self._vectors.get(index)
        if vector is None or vector.capacity < rules + 1:
            capacity = 1 << max(4, rules.bit_length())
            vector = self._vectors[index] = plane.stats.combined(f"/acl/{index}/matches", capacity)
            counters = plane.shared(AclTables).counters
            for worker, address in enumerate(vector.addresses):
                counters[worker, index] = address
        vector.clear()
        vector.shorten(rules + 1)
        vector.extend(rules + 1)

    def total(self, index: int, rule: int) -> tuple[int, int]:
        """Packets and bytes that met a rule. Raises `KeyError`: no such ACL was ever made."""
        packets, octets = self._vectors[index].total(rule)
        return int(packets), int(octets)
