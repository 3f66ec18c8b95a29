"""``show node NAME`` and ``show nodes``: what a node declares, and its place in the graph."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT, PYTHON, TERMINAL
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.show.columns import centre
from vectorplane.dataplane.show.runtime import node_state

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

_KINDS = {INPUT: "input", TERMINAL: "terminal", PYTHON: "python"}


def node_type_data(node_type: NodeType) -> dict[str, Any]:
    """What a node type declares."""
    kind = "python" if node_type.python is not None else _KINDS.get(node_type.kind, "internal")
    return {
        "name": node_type.name,
        "type": kind,
        "sibling_of": node_type.sibling_of,
        "next_nodes": [{"slot": i, "name": n} for i, n in enumerate(node_type.nexts)],
        "errors": [{"symbol": symbol, "text": text} for symbol, text in node_type.errors],
        "features": [{"arc": f.arc, "before": list(f.before), "after": list(f.after)} for f in node_type.features],
        "traced": node_type.trace is not None,
        "doc": node_type.doc.strip(),
    }


def node_data(plane: Dataplane, node: Node) -> dict[str, Any]:
    """A node of the graph: the same, with its index, its state, all next nodes and those that lead to it."""
    graph = plane.graph
    data = node_type_data(node.type)
    data |= {"name": node.name, "index": node.index, "state": node_state(node)}
    data["next_nodes"] = [{"slot": s, "index": graph[n].index, "name": n} for n, s in node.slots.items()]
    data["previous_nodes"] = [n.name for n in graph if node.name in n.slots]
    return data


def nodes(plane: Dataplane) -> list[dict[str, Any]]:
    """All nodes of the graph, by name."""
    return [node_data(plane, n) for n in sorted(plane.graph, key=lambda n: n.name)]


def show_nodes(plane: Dataplane) -> str:
    """A line a node: index, type, state, and the next nodes in slot order."""
    lines = [f"{'Name':<32}{centre('Idx', 6)}{centre('Type', 10)}{centre('State', 10)} Next nodes"]
    for n in nodes(plane):
        following = " ".join(f"{x['slot']}:{x['name']}" for x in n["next_nodes"])
        lines.append(
            f"{n['name']:<32}{centre(n['index'], 6)}{centre(n['type'], 10)}{centre(n['state'], 10)} {following}"
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def show_node(plane: Dataplane, name: str) -> str:
    """All about one node; a type that is not part of the graph is shown as it is declared.

    Raises:
        KeyError: there is neither a node nor a type of that name.
    """
    if name not in plane.graph:
        return show_node_type(plane.graph.registry[name])
    n = node_data(plane, plane.graph[name])
    sibling = f", sibling-of {n['sibling_of']}" if n["sibling_of"] else ""
    lines = [f"node {name}, type {n['type']}, state {n['state']}, index {n['index']}{sibling}", "", "  next nodes:"]
    if n["next_nodes"]:
        lines.append(f"    {'next-index':>10}  {'node-index':>10}  {centre('Node', 30)}")
    for x in n["next_nodes"]:
        lines.append(f"    {centre(x['slot'], 10)}  {centre(x['index'], 10)}  {centre(x['name'], 30)}")
    lines += [] if n["next_nodes"] else ["    none"]
    lines += ["", "  known previous nodes:"]
    before = [f"{p} ({plane.graph[p].index})" for p in n["previous_nodes"]]
    lines += ["    " + "".join(f"{p:<35}" for p in before[i : i + 3]) for i in range(0, len(before), 3)] or ["    none"]
    return "\n".join(line.rstrip() for line in [*lines, *_declared(n)]) + "\n"


def show_node_type(node_type: NodeType) -> str:
    """A node type as it is declared."""
    n = node_type_data(node_type)
    sibling = f", sibling-of {n['sibling_of']}" if n["sibling_of"] else ""
    lines = [f"node {n['name']}, type {n['type']}, not in the graph{sibling}", "", "  next nodes:"]
    lines += [f"    {centre(x['slot'], 10)}  {x['name']}" for x in n["next_nodes"]] or ["    none"]
    return "\n".join(line.rstrip() for line in [*lines, *_declared(n)]) + "\n"


def _declared(n: dict[str, Any]) -> list[str]:
    lines = ["", "  errors:"]
    lines += [f"    {e['symbol']:<28} {e['text']}" for e in n["errors"]] or ["    none"]
    lines += ["", "  features:"]
    for f in n["features"]:
        order = [f"{word} {', '.join(f[word])}" for word in ("before", "after") if f[word]]
        lines.append(f"    {f['arc']}" + "".join(f", {o}" for o in order))
    lines += [] if n["features"] else ["    none"]
    lines += ["", f"  packet trace: {'yes' if n['traced'] else 'no'}"]
    return lines + (["", *("  " + line for line in n["doc"].split("\n"))] if n["doc"] else [])
