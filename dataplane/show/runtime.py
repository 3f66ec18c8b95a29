"""``show runtime``: how often each node ran, and what it cost; the dispatcher has a row of its own.

The time is what the worker spent dispatching (its rows' clocks over the frequency of the cycle counter), so rates
are those of a worker at work, however long the engine stood still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.dataplane.abi import INPUT, POLLING, TERMINAL
from vectorplane.dataplane.clock import tsc_hz
from vectorplane.dataplane.graph import Node
from vectorplane.dataplane.show.columns import centre, scientific, thread_name
from vectorplane.dataplane.show.since_clear import SinceClear

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

DISPATCHER = "dispatcher"
_DROPS, _PUNTS = ("error-drop", "null-node"), ("error-punt",)
_COUNTERS = ("calls", "vectors", "suspends", "clocks")


def node_state(node: Node, worker: int = 0) -> str:
    """``polling`` or ``disabled`` for an input node, ``active`` for others."""
    if node.type.kind != INPUT:
        return "active"
    return "polling" if int(node.record(worker)["state"]) == POLLING else "disabled"


def runtime(plane: Dataplane) -> list[dict[str, Any]]:
    """For each worker: seconds, rates (packets a second) and a row for each node that ran, by name."""
    return [_section(plane, w) for w in range(len(plane.workers))]


def _section(plane: Dataplane, worker: int) -> dict[str, Any]:
    since, graph = plane.shared(SinceClear), plane.graph
    counts = {c: since.read(plane.node_stats[c], len(graph.nodes), worker).tolist() for c in _COUNTERS}
    moved = {"in": 0, "out": 0, "drop": 0, "punt": 0}
    internal_calls = internal_vectors = 0
    rows = []
    for node in graph:
        calls, vectors, suspends, clocks = (counts[c][node.index] for c in _COUNTERS)
        if node.type.kind == INPUT:
            moved["in"] += vectors
        else:
            internal_calls, internal_vectors = internal_calls + calls, internal_vectors + vectors
        if node.name in _DROPS:
            moved["drop"] += vectors
        elif node.name in _PUNTS:
            moved["punt"] += vectors
        elif node.type.kind == TERMINAL and node.name.endswith("-tx"):
            moved["out"] += vectors
        if calls or suspends:
            rows.append(_row(node.name, node_state(node, worker), calls, vectors, suspends, clocks))
    record = plane.workers[worker].record
    rounds, dispatch_clocks = int(record["rounds"]), int(record["dispatch_clocks"])
    before = since.dispatch[worker]
    if rounds >= before[0] and dispatch_clocks >= before[1]:  # else they were set to zero meanwhile
        rounds, dispatch_clocks = rounds - before[0], dispatch_clocks - before[1]
    rows.sort(key=lambda row: str(row["name"]))
    if rounds:
        rows.append(_row(DISPATCHER, "active", rounds, moved["in"], 0, dispatch_clocks))
    seconds = sum(row["clocks"] for row in rows) / tsc_hz()
    return {
        "worker": worker,
        "seconds": seconds,
        "vectors_per_node": internal_vectors / internal_calls if internal_calls else 0.0,
        "loops_per_second": rounds / seconds if seconds else 0.0,
        "rates": {k: v / seconds if seconds else 0.0 for k, v in moved.items()},
        "nodes": rows,
    }


def _row(name: str, state: str, calls: int, vectors: int, suspends: int, clocks: int) -> dict[str, Any]:
    return {
        "name": name,
        "state": state,
        "calls": calls,
        "vectors": vectors,
        "suspends": suspends,
        "clocks": clocks,
        "clocks_per_packet": clocks / (vectors or calls or suspends or 1),
        "vectors_per_call": vectors / calls if calls else 0.0,
    }


def show_runtime(plane: Dataplane) -> str:
    """The same as text: a section a worker."""
    sections = runtime(plane)
    lines: list[str] = []
    for s in sections:
        if len(sections) > 1:
            lines += ["---------------"] if lines else []
            lines.append(f"Thread {s['worker']} {thread_name(s['worker'])}")
        rates = ", ".join(f"{k} {scientific(v, 4)}" for k, v in s["rates"].items())
        lines += [
            f"Time {s['seconds']:.6f}, 0 sec internal node vector rate {s['vectors_per_node']:.2f} "
            f"loops/sec {s['loops_per_second']:.2f}",
            f"  vector rates {rates}",
            centre("Name", 30)
            + centre("State", 12)
            + "".join(centre(t, 16) for t in ("Calls", "Vectors", "Suspends", "Packet-Clocks", "Vectors/Call")),
        ]
        for row in s["nodes"]:
            lines.append(
                f"{row['name']:<30}{centre(row['state'], 12)}{row['calls']:16d}{row['vectors']:16d}"
                f"{row['suspends']:16d}{scientific(row['clocks_per_packet'], 2):>16}{row['vectors_per_call']:16.2f}"
            )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def clear_runtime(plane: Dataplane) -> None:
    """Count from now on."""
    since = plane.shared(SinceClear)
    for name in _COUNTERS:
        since.clear(plane.node_stats[name], len(plane.graph.nodes))
    since.dispatch = [(int(w.record["rounds"]), int(w.record["dispatch_clocks"])) for w in plane.workers]
