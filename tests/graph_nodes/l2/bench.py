"""One L2 node with collecting nodes for all that its features may lead to, and frames as they come to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.harness import Bench, Out, collector
from tests.naive.l2.features import INPUT, OUTPUT
from vectorplane.dataplane.buffer import CELL, DATA, DATA_SIZE
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.l2.config import L2Config
from vectorplane.jit import twin

ABSENT = frozenset({"l2-rw", "l2-xcrw", "l2-policer-output", "sr-pl-rewrite-encaps-l2"})
"""Nodes of features that do not exist here (any would do): their bits lead to feature-bitmap-drop."""
THERE = (frozenset(INPUT.values()) | frozenset(OUTPUT.values())) - ABSENT


class L2Bench(Bench):
    """A bench whose packets carry what L2 nodes hand to each other.

    ``behind``: how many bytes behind a packet the node may read all the same.
    """

    def __init__(self, node_type: NodeType, *, types: Sequence[NodeType] = (), behind: int = 0, **options: Any) -> None:
        self._behind = behind
        real = {t.name for t in (*types, node_type)}
        stubs = [collector(name) for name in sorted(THERE | {"l2-input"}) if name not in real]
        super().__init__(node_type, types=(*types, *stubs), arcs=(), **options)
        self.config = self.plane.shared(L2Config)

    def _red_zone(self, index: int) -> None:
        super()._red_zone(index)
        m = self.plane.pool.meta[index]
        end = int(m["current_data"]) + int(m["current_length"])
        twin.poison(self.plane.pool.address + index * CELL + DATA + end, min(self._behind, DATA_SIZE - end), False)

    def send(self, frames: Sequence[bytes], *, meta: Callable[[int, Any], None], **options: Any) -> list[Out]:
        """What left, in the order in which it came (packets that one became: in the order in which they left)."""
        outs = sorted(self.run(frames, meta=meta, **options), key=lambda o: o.index)
        for out in outs:
            if out.next == "error-drop" and not out.meta["error"]:
                out.error = self.plane.graph.error_names[0][1]  # the first node's first reason is a reason too
        return outs


def word(value: int, bits: int = 32) -> int:
    """A number as a signed field takes it."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def l2_words(
    length: int = 14, shg: int = 0, ages: bool = False, bd_index: int = 0, sn: tuple[int, int] = (0, 0)
) -> dict[str, int]:
    """The fields of a buffer that hold these."""
    return {
        "flow_hash": length | shg << 8 | ages << 16,
        "fib_index": word(bd_index | (sn[0] << 8 | sn[1]) << 16),
    }


def put(record: Any, **fields: int) -> None:
    """Write fields of a buffer's metadata."""
    for name, value in fields.items():
        record[name] = value
