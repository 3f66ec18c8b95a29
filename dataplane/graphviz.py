"""The node graph as a picture: text in the DOT language, drawn from left to right by graphviz."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.dataplane.abi import INPUT, TERMINAL
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.show.since_clear import SinceClear

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_SOURCE, _SINK, _BETWEEN = 0.58, 0.09, 0.33
"""Hues: blue, orange, green."""
_PALE = 0.12
"""Saturation of a node that sees no packets."""
_EVEN = 0.4
"""Share of packets that is drawn where there are no figures."""
_SMALL, _LARGE = 10, 26
"""Points of a node's letters: where no clocks are spent, and where all are."""


def quoted(text: str) -> str:
    """A DOT string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _hue(node: Node) -> float:
    if node.type.kind == INPUT:
        return _SOURCE
    return _SINK if node.type.kind == TERMINAL or not node.slots else _BETWEEN


def _fill(hue: float, share: float) -> str:
    return f'fillcolor="{hue:.2f} {_PALE + (1 - _PALE) * share:.2f} 1.00"'


def dot(plane: Dataplane, active_only: bool = True) -> str:
    """The graph in the DOT language.

    Sources are blue, sinks orange; the stronger the colour the more packets, and the larger a node the more of
    the workers' clocks it takes, both since the last ``clear runtime``. ``active_only`` leaves out nodes that have
    not run. When no node has run the graph is drawn without figures.
    """
    nodes, since = plane.graph.nodes, plane.shared(SinceClear)
    stats = {c: since.read(plane.node_stats[c], len(nodes)).tolist() for c in ("calls", "vectors", "clocks")}
    counted = any(stats["calls"])
    busiest = max(stats["vectors"], default=0) or 1
    clocks = sum(stats["clocks"]) or 1
    shown = [n for n in nodes if stats["calls"][n.index] or not (counted and active_only)]
    lines = [
        "digraph vectorplane {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fontname="Helvetica"];',
    ]
    for n in shown:
        label = n.name
        vectors, spent = stats["vectors"][n.index], stats["clocks"][n.index]
        if counted:
            label += f"\n{vectors:,} packets"
            label += f"\n{spent / vectors:.1f} clocks" if vectors else ""
        size = _SMALL + (_LARGE - _SMALL) * spent / clocks
        colour = _fill(_hue(n), vectors / busiest if counted else _EVEN)
        lines.append(f"  {quoted(n.name)} [label={quoted(label)}, {colour}, fontsize={size:.1f}];")
    names = {n.name for n in shown}
    for n in shown:
        lines += [f"  {quoted(n.name)} -> {quoted(x)};" for x in n.slots if x in names]
    return "\n".join([*lines, *_legend(counted), "}"]) + "\n"


def _legend(counted: bool) -> list[str]:
    entries = [("source", _SOURCE), ("node", _BETWEEN), ("sink", _SINK)]
    lines = ["  subgraph cluster_legend {", '    label="Legend"; fontname="Helvetica"; fontsize=10; style=dashed;']
    lines.append("    node [fontsize=10];")
    for name, hue in entries:
        lines.append(f'    "legend {name}" [label="{name}", {_fill(hue, _EVEN)}];')
    if counted:
        text = quoted("colour: share of packets\nsize: share of clocks")
        lines.append(f'    "legend figures" [label={text}, shape=plaintext, style=""];')
    return [*lines, "  }"]
