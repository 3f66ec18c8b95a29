"""Feature arcs: ordered chains of nodes that interfaces switch on and off one by one.

A node that starts an arc asks for the chain of the packet's interface; each feature asks for the next. A
chain is a run of slots in one int32 memory: entry k is the slot, in the node of entry k-1, that leads to
the node of entry k; the last leads to the arc's end. The packet carries its place in `config_index`.
Changing a chain writes a new run and then one word, so packets under way finish on the old run, which is
reclaimed when all workers have passed an epoch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import ld32s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

_HEAP = 1 << 20


@dataclass(frozen=True)
class Feature:
    """That a node can run on an arc, and its place among the others."""

    arc: str
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArcType:
    """An arc: the nodes that start it (siblings) and the node at its end.

    One without starts begins at each interface's own output node and ends at its transmit node.
    """

    name: str
    starts: tuple[str, ...] = ()
    end: str = ""


@helper
def feature_start(arc: int, sw_if: int, b: int) -> int:
    """Slot of the interface's first feature, the packet's cursor set; -1 when it has none on this arc."""
    cursor = ld32s(arc + 4 * sw_if)
    if cursor == 0:
        return -1
    rec(b, BUFFER).config_index = cursor + 1
    return ld32s(arc + 4 * cursor)


@helper
def feature_next(arc: int, b: int) -> int:
    """Slot of the next feature in the packet's chain (or of the arc's end)."""
    m = rec(b, BUFFER)
    cursor = m.config_index
    m.config_index = cursor + 1
    return ld32s(arc + 4 * cursor)


def ordered(features: dict[str, Feature], end: str) -> list[str]:
    """All features of an arc in an order that obeys their constraints (alphabetical where they allow).

    Raises:
        ValueError: the constraints form a circle.
    """
    after: dict[str, set[str]] = {n: {a for a in f.after if a in features} for n, f in features.items()}
    for name, f in features.items():
        for later in f.before:
            if later in after:
                after[later].add(name)
    result: list[str] = []
    while after:
        ready = sorted(n for n, needs in after.items() if not needs)
        if not ready:
            raise ValueError(f"features {', '.join(sorted(after))} each want to run before the other")
        result.append(ready[0])
        del after[ready[0]]
        for needs in after.values():
            needs.discard(ready[0])
    return result


class FeatureArc:
    """An arc of one engine: which features each interface has on, and the memory that kernels read."""

    def __init__(self, plane: Dataplane, arc: ArcType) -> None:
        self.type = arc
        self._plane = plane
        self._region = Region(4 * (MAX_INTERFACES + _HEAP), name=f"arc {arc.name}")
        self.address = self._region.address
        self._words = self._region.view(np.dtype("i4"), 0, MAX_INTERFACES + _HEAP)
        self._top = MAX_INTERFACES
        self._free: dict[int, list[int]] = {}
        self._lengths: dict[int, int] = {}
        self.enabled: dict[int, dict[str, int]] = {}
        """By sw_if_index: the features that are on, each with how often it was switched on."""
        self._known = 0
        self._order: list[str] = []
        _ = self.order  # a circle is found now

    @property
    def order(self) -> list[str]:
        """All features of the arc in the order in which they run; nodes of other packages may have joined late.

        Raises:
            ValueError: their constraints form a circle.
        """
        registry = self._plane.graph.registry
        if len(registry) != self._known:
            known = {t.name: f for t in registry for f in t.features if f.arc == self.type.name}
            self._order = ordered(known, self.type.end)
            self._known = len(registry)
        return self._order

    def chain(self, sw_if_index: int) -> list[str]:
        """The features of an interface, in the order in which they run."""
        on = self.enabled.get(sw_if_index, {})
        return [n for n in self.order if n in on]

    def enable(self, sw_if_index: int, feature: str, on: bool = True) -> None:
        """Switch a feature on (counted) or off for an interface.

        Raises:
            KeyError: the arc has no such feature.
            ValueError: the arc begins at the interface's output node, and the interface has none of its own (a tunnel).
        """
        if feature not in self.order:
            raise KeyError(f"arc {self.type.name} has no feature {feature}")
        self._ends(sw_if_index)
        counts = self.enabled.setdefault(sw_if_index, {})
        count = counts.get(feature, 0) + (1 if on else -1)
        if count > 0:
            counts[feature] = count
        else:
            counts.pop(feature, None)
        self._build(sw_if_index, self.chain(sw_if_index))

    def clear(self, sw_if_index: int) -> None:
        """Switch everything off for an interface (it goes)."""
        if self.enabled.pop(sw_if_index, None) or int(self._words[sw_if_index]):
            self._build(sw_if_index, ())

    def _build(self, sw_if_index: int, names: Iterable[str]) -> None:
        graph = self._plane.graph
        slots = []
        previous, end = self._ends(sw_if_index)
        for name in [*names, end]:
            slots.append(graph.add_common_next(previous, name))
            previous = [graph.add(name)]
        old = int(self._words[sw_if_index])
        self._words[sw_if_index] = self._place(slots) if len(slots) > 1 else 0
        if old:
            length = self._lengths.pop(old)
            self._plane.epochs.retire(lambda: self._free.setdefault(length, []).append(old))

    def _ends(self, sw_if_index: int) -> tuple[list[Node], str]:
        """The nodes where an interface's chain begins, and the one where it ends."""
        graph = self._plane.graph
        if self.type.starts:
            return [graph.add(s) for s in self.type.starts if s in graph.registry], self.type.end
        index = int(self._plane.interfaces.records[sw_if_index]["output_node"])
        name = graph.nodes[index].name if index >= 0 else ""
        transmit = f"{name.removesuffix('-output')}-tx"
        if not name.endswith("-output") or transmit not in graph:
            raise ValueError(f"{self._plane.interfaces.names.get(sw_if_index, sw_if_index)} has no output of its own")
        return [graph.nodes[index]], transmit

    def _place(self, slots: list[int]) -> int:
        free = self._free.get(len(slots))
        if free:
            at = free.pop()
        else:
            at = self._top
            if at + len(slots) > len(self._words):
                raise OverflowError(f"arc {self.type.name}: no room for another chain")
            self._top += len(slots)
        self._words[at : at + len(slots)] = slots
        self._lengths[at] = len(slots)
        return at

    def close(self) -> None:
        """Give the memory back."""
        self._region.close()
