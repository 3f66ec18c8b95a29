"""What nodes did and why they dropped packets, from the texts of ``show runtime`` and ``show errors``.

The statistics segment has the clocks of nodes only if VPP was started with ``per-node-counters on``, and of an error
its short name without its severity; the debug CLI always has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_ROW = re.compile(r"(\S+)\s+(.*?)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)\s*")
_ERROR = re.compile(r"\s*(\d+)\s+(\S+)\s+(.*?)\s+(\S+)\s*")


@dataclass(frozen=True)
class ErrorCount:
    """A counter of a node, as ``node: text``; not all of them are errors."""

    name: str
    count: int
    is_error: bool


def read_errors(text: str) -> list[ErrorCount]:
    """The counters in the text of ``show errors``, all threads summed."""
    sums: dict[tuple[str, bool], int] = {}
    for line in text.splitlines():
        match = _ERROR.fullmatch(line)
        if match is not None:
            key = (f"{match[2]}: {match[3]}", match[4].lower() != "info")
            sums[key] = sums.get(key, 0) + int(match[1])
    return [ErrorCount(name, count, is_error) for (name, is_error), count in sums.items()]


def node_rows(text: str) -> list[dict[str, Any]]:
    """One row for each node that ran (processes left out), all threads summed."""
    sums: dict[str, tuple[int, int, float]] = {}
    for line in text.splitlines():
        match = _ROW.fullmatch(line)
        if match is None or int(match[5]):
            continue  # a heading, or a process: only these are suspended
        try:
            each = float(match[6])
        except ValueError:
            continue
        calls, vectors, clocks = sums.get(match[1], (0, 0, 0.0))
        more = int(match[4])
        sums[match[1]] = (calls + int(match[3]), vectors + more, clocks + each * more)
    return [
        {
            "name": name,
            "calls": calls,
            "vectors": vectors,
            "clocks_per_packet": round(clocks / vectors, 2) if vectors else 0.0,
        }
        for name, (calls, vectors, clocks) in sums.items()
        if calls
    ]
