"""Replaying captures through an engine that has been set up: clock, progress, interruption, report."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from vectorplane.backends.engine.capture_device import CaptureDevice
from vectorplane.backends.engine.report import Report, report
from vectorplane.jit.kernel import Compiled, Kernel
from vectorplane.jit.prepare import build, units_in

if TYPE_CHECKING:
    from vectorplane.backends.engine.engine import Engine

Progress = Callable[[int, int | None, int], None]
"""``progress(bytes read, bytes in all or None, packets)``"""
_PROGRESS_EVERY = 0.1
_RUNNERS = tuple(
    f"vectorplane.{m}"
    for m in (
        "dataplane.dispatch",
        "graph_nodes.capture_tx",
        "backends.engine.rss",
        "backends.engine.sim_rx_ring",
        "backends.engine.sim_tx_ring",
    )
)
"""Modules of compiled functions that a run calls."""


def needed_units(engine: Engine) -> list[Kernel | Compiled]:
    """All that must be compiled before this engine can run: what its graph can reach, and what runs it."""
    units: list[Kernel | Compiled] = []
    for node in engine.plane.graph:
        if node.type.kernel is not None:
            units.append(node.type.kernel)
        if node.type.trace is not None:
            units.append(node.type.trace.kernel)
    return units + units_in(m for m in _RUNNERS if m in sys.modules)


def capture_devices(engine: Engine) -> list[CaptureDevice]:
    """The engine's capture devices."""
    return [d for d in engine.devices() if isinstance(d, CaptureDevice)]


def replay(
    engine: Engine,
    progress: Progress | None = None,
    limit: int | None = None,
    run: Callable[[], None] | None = None,
) -> Report:
    """Play all captures of the engine's devices to their end, or for ``limit`` packets. Counters go on counting.

    Warnings about damaged files and packets that could not be read are in the report. ``run`` stands in for
    `Engine.run` (a `Network`'s, when ports are linked).

    Raises:
        CaptureError: a file is damaged and its device is strict.
    """
    devices = capture_devices(engine)
    sources = [s for d in devices for s in d.sources]
    start = min((s.first_time for s in sources if not s.ended), default=0)
    engine.link()
    for unit in needed_units(engine):
        build(unit)  # now, so that no loading of machine code is in the time measured
    if limit is not None:
        engine.plane.graph["capture-input"].data["limit"] = limit
    sizes = [s.reader.size for s in sources]
    total = None if None in sizes else sum(s or 0 for s in sizes)
    last = 0.0

    def tick() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _PROGRESS_EVERY and progress is not None:
            last = now
            done = sum(s.reader.position for s in sources)
            progress(done, total, int(engine.plane.if_stats["rx"].total()[:, 0].sum()))

    engine.on_tick = tick
    if engine.clock == "real":
        engine.start_real_clock(start)
    else:
        engine.advance(start)
    began = time.perf_counter()
    try:
        (run or engine.run)()
    finally:
        engine.on_tick = None
        for device in devices:
            device.flush()
    made = report(engine.plane, time.perf_counter() - began)
    for s in sources:
        for reader in s.readers:
            made.warnings += reader.warnings
    if made.missing:
        made.warnings.append(f"{made.missing} packets are not accounted for: this is a bug in a node")
    return made
