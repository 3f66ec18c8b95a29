"""The packet trace of a replay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT
from vectorplane.dataplane.trace_log import TraceLog

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine


def start(engine: Engine, packets: int) -> None:
    """Trace the first packets that each input node takes."""
    log = engine.plane.shared(TraceLog)
    for node in list(engine.plane.graph):
        if node.type.kind == INPUT:
            log.add(node.name, packets)


def as_text(engine: Engine, packets: int) -> str:
    """In VPP's format."""
    return engine.plane.shared(TraceLog).text(packets).rstrip("\n")


def as_json(engine: Engine) -> list[dict[str, Any]]:
    """As data."""
    return engine.plane.shared(TraceLog).json()
