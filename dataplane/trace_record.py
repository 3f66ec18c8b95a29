"""A record of the packet trace, read from a worker's log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from vectorplane.dataplane.abi import TERMINAL
from vectorplane.dataplane.graph import Node

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


@dataclass(frozen=True)
class Record:
    """What one node saw of one packet."""

    packet: int
    worker: int
    node: Node
    time: int
    """The packet's time, ns."""
    slot: int
    """Slot in the node's next table that the packet was given; -1 when it ended here or is not known."""
    buffer: int
    body: Any
    """A record of the node's trace dtype; None when the node's type has none."""
    clock: int

    @property
    def next(self) -> str | None:
        """Name of the node that the packet was sent to; None when it ended here, was kept, or is not known."""
        return next((name for name, slot in self.node.slots.items() if slot == self.slot), None)

    def text(self, plane: Dataplane) -> list[tuple[str, str]]:
        """Headings (the node's name) and the text below each, without an indent."""
        trace = self.node.type.trace
        if trace is None or self.body is None:
            return [(self.node.name, "")]
        parts = [(self.node.name, trace.format(self.body, plane))]
        if trace.second is not None:
            parts.append((trace.second[0], trace.second[1](self.body, plane)))
        return parts

    def fields(self) -> dict[str, Any]:
        """The body's fields: numbers, and byte arrays as hexadecimal (as many bytes as `size` says)."""
        values: dict[str, Any] = {}
        for name in self.body.dtype.names if self.body is not None else ():
            value = self.body[name]
            if isinstance(value, np.ndarray):
                raw = value.tobytes()
                values[name] = raw[: max(0, int(self.body["size"]))].hex() if "size" in values else raw.hex()
            else:
                values[name] = int(value)
        return values


def read_record(plane: Dataplane, worker: int, slot: Any) -> Record:
    """The record in one slot (an element of `vectorplane.dataplane.trace.TRACE`) of a worker's log."""
    node = plane.graph.nodes[int(slot["node"])]
    trace = node.type.trace
    body, known = None, node.type.kind != TERMINAL
    if trace is not None:
        body = np.frombuffer(slot["body"].tobytes()[: trace.dtype.itemsize], trace.dtype)[0]
        known = known and not trace.before  # no next had been chosen yet
    return Record(
        packet=int(slot["packet"]),
        worker=worker,
        node=node,
        time=int(slot["time"]),
        slot=int(slot["next"]) if known else -1,
        buffer=int(slot["buffer"]),
        body=body,
        clock=int(slot["clock"]),
    )


def time_text(ns: int) -> str:
    """A time since the start as VPP's traces show it: ``HH:MM:SS:microseconds`` (of the day, without the days)."""
    micros = max(0, ns) // 1000
    seconds = micros // 1_000_000
    return f"{seconds // 3600 % 24:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{micros % 1_000_000:06d}"
