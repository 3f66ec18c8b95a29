"""The report of a replay, from VPP's counters before and after it.

VPP counts what it receives, sends and drops (with a reason), but not what it generates and consumes: what these
leave open is given as one of the two, so that the balance is whole by construction and no check of VPP.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from vectorplane.backends.report import Report
from vectorplane.backends.vpp.backend import VppBackend
from vectorplane.backends.vpp.runtime import read_errors

DROP_NODE = "error-drop"
UNCOUNTED = f"{DROP_NODE}: no reason counted"
CONSUMED = "neither sent nor dropped (VPP has no counter for it)"
_FIELDS = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes", "drops", "rx_miss")


@dataclass(frozen=True)
class Reading:
    """All counters at one moment, by name. ``errors``: only those that count errors."""

    interfaces: dict[str, dict[str, Any]]
    errors: dict[str, int]
    nodes: dict[str, dict[str, Any]]


def read(backend: VppBackend) -> Reading:
    """Raises `BackendError`: the counters can't be read."""
    counters = backend.counters()
    return Reading(
        {row["name"]: row for row in counters["interfaces"]},
        {e.name: e.count for e in read_errors(backend.cli("show errors")) if e.is_error},
        {row["name"]: row for row in counters["nodes"]},
    )


def difference(before: Reading, after: Reading, ports: Collection[str], seconds: float) -> Report:
    """What happened between two readings. ``ports``: the interfaces by which packets come and go."""
    made = Report(seconds=seconds)
    for name, row in after.interfaces.items():
        was = before.interfaces.get(name, {})
        now = {k: row.get(k, 0) - was.get(k, 0) for k in _FIELDS}
        made.interfaces.append({"name": name, **now})
        if name in ports:
            made.packets_in += now["rx_packets"]
            made.bytes_in += now["rx_bytes"]
            made.packets_out += now["tx_packets"]
            made.bytes_out += now["tx_bytes"]
    for key, count in after.errors.items():
        count -= before.errors.get(key, 0)
        if count:
            made.drops[key] = count
    made.nodes = _nodes(before, after)
    dropped = sum(row["vectors"] for row in made.nodes if row["name"] == DROP_NODE)
    if dropped > sum(made.drops.values()):
        made.drops[UNCOUNTED] = dropped - sum(made.drops.values())
    left = made.missing
    if left > 0:
        made.consumed[CONSUMED] = left
    made.generated = max(0, -left)
    return made


def _nodes(before: Reading, after: Reading) -> list[dict[str, Any]]:
    rows = []
    for name, row in after.nodes.items():
        was = before.nodes.get(name, {"calls": 0, "vectors": 0, "clocks_per_packet": 0.0})
        calls, vectors = row["calls"] - was["calls"], row["vectors"] - was["vectors"]
        clocks = row["clocks_per_packet"] * row["vectors"] - was["clocks_per_packet"] * was["vectors"]
        if calls > 0 and vectors > 0:
            each = round(max(0.0, clocks) / vectors, 2)
            rows.append({"name": name, "calls": calls, "vectors": vectors, "clocks_per_packet": each})
    return rows
