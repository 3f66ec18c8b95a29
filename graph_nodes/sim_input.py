"""sim-input: what the simulated NICs of an engine received, in the order of time, at the pace of the engine's clock.

One node serves all ports, as `dpdk-input` does. A port's receive rings are a run of records in order of time (a
`SOURCE`); merging, the horizon, ARP packets travelling alone, workers that each take the records of their own queues
and arrival numbers are those of `capture_input`, whose kernel this is.

A packet that finds no buffer is received and dropped here ("no buffers"); one that finds its receive ring full never
gets this far: the port counts it (``/if/rx-miss``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.graph_nodes.capture_input import (
    ERRORS,
    NEXTS,
    RUNTIME,
    bind_sources,
    capture_input,
    received_text,
)
from vectorplane.graph_nodes.packet_source import SourceTables
from vectorplane.graph_nodes.trace_packet import BUFFER_TRACE, trace_buffer

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane


class SimSources(SourceTables):
    """What the simulated ports of a dataplane received, an entry a port."""

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane)
        self.free: list[int] = []
        """Entries of ports that are gone."""


def format_trace(record: Any, plane: Dataplane) -> str:
    """As capture-input's."""
    return received_text(record, plane, "sim")


def bind(plane: Dataplane, node: Node) -> None:
    """As capture-input, with the ports' records."""
    bind_sources(plane, node, SimSources)


SIM_INPUT = NodeType(
    name="sim-input",
    kernel=capture_input,
    kind=INPUT,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(BUFFER_TRACE, trace_buffer, format_trace),
    bind=bind,
    doc=__doc__ or "",
)
