"""``show errors``: every error counter that is not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.show.columns import centre
from vectorplane.dataplane.show.since_clear import SinceClear

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


def errors(plane: Dataplane) -> list[dict[str, Any]]:
    """Count, node, reason and severity of each: `error` where packets were dropped, else `info`.

    VPP's nodes whose counters have no symbols of their own have no severities either: all are errors.
    """
    since, names = plane.shared(SinceClear), plane.graph.error_names
    counts = since.read(plane.errors, len(names))
    drops = since.read(plane.drops, len(names))
    plain = {(node.name, text) for node in plane.graph for symbol, text in node.type.errors if symbol == text}
    return [
        {
            "count": int(n),
            "node": node,
            "reason": reason,
            "severity": "error" if drop or (node, reason) in plain else "info",
        }
        for n, drop, (node, reason) in zip(counts, drops, names, strict=True)
        if n
    ]


def show_errors(plane: Dataplane) -> str:
    """The same as text."""
    lines = [centre("Count", 10) + centre("Node", 35) + centre("Reason", 35) + centre("Severity", 10)]
    lines += [
        f"{e['count']:10d}{centre(e['node'], 35)}{centre(e['reason'], 35)}{centre(e['severity'], 10)}"
        for e in errors(plane)
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def clear_errors(plane: Dataplane) -> None:
    """Show errors from now on only."""
    since, n = plane.shared(SinceClear), len(plane.graph.error_names)
    for vector in (plane.errors, plane.drops, plane.consumed):
        since.clear(vector, n)
