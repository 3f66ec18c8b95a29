"""What came of a run: every packet accounted for, time, and clocks by node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vectorplane.backends.report import Report
from vectorplane.dataplane.interface import LOOPED

__all__ = ["Report", "node_rows", "report"]

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane


def _is_looped(plane: Dataplane, name: str) -> bool:
    """Is this an interface that receives what it transmits, so that nothing of it is counted in or out?"""
    index = plane.interfaces.by_name.get(name)
    return index is not None and bool(int(plane.interfaces.records[index]["flags"]) & LOOPED)


def node_rows(plane: Dataplane) -> list[dict[str, Any]]:
    """Calls, vectors and clocks of each node that ran, workers summed; the dispatcher's own row comes last."""
    calls, vectors, clocks = (plane.node_stats[n].total() for n in ("calls", "vectors", "clocks"))
    rows = []
    for node in plane.graph:
        if calls[node.index]:
            v = int(vectors[node.index])
            rows.append(
                {
                    "name": node.name,
                    "calls": int(calls[node.index]),
                    "vectors": v,
                    "clocks_per_packet": round(float(clocks[node.index]) / v, 2) if v else 0.0,
                }
            )
    own = sum(int(w.record["dispatch_clocks"]) for w in plane.workers)
    rounds = sum(int(w.record["rounds"]) for w in plane.workers)
    received = sum(int(vectors[n.index]) for n in plane.graph if n.type.kind == 2)
    rows.append(
        {
            "name": "dispatch",
            "calls": rounds,
            "vectors": received,
            "clocks_per_packet": round(own / received, 2) if received else 0.0,
        }
    )
    return rows


def report(plane: Dataplane, seconds: float = 0.0) -> Report:
    """The counters of a dataplane as a report. Sub-interface counters are part of their super-interface's."""
    received = plane.if_stats["rx"].total()
    sent = plane.if_stats["tx"].total()
    drops = plane.error_counts("drops")
    made = Report(
        generated=sum(int(w.record["generated"]) for w in plane.workers),
        drops=drops,
        consumed=plane.error_counts("consumed"),
        seconds=seconds,
        nodes=node_rows(plane),
    )
    lost_in_tx = 0
    for index, name in sorted(plane.interfaces.names.items()):
        record = plane.interfaces.records[index]
        row: dict[str, Any] = {
            "name": name,
            "rx_packets": int(received[index][0]),
            "rx_bytes": int(received[index][1]),
            "tx_packets": int(sent[index][0]),
            "tx_bytes": int(sent[index][1]),
            "drops": int(plane.if_stats["drops"].total(index)),
            "rx_miss": int(plane.if_stats["rx-miss"].total(index)),
        }
        made.interfaces.append(row)
        if int(record["sup"]) == index and not int(record["flags"]) & LOOPED:
            made.packets_in += row["rx_packets"]
            made.bytes_in += row["rx_bytes"]
            made.packets_out += row["tx_packets"]
            made.bytes_out += row["tx_bytes"]
    made.packets_in += int(plane.gone["rx"][0])
    made.bytes_in += int(plane.gone["rx"][1])
    made.packets_out += int(plane.gone["tx"][0])
    made.bytes_out += int(plane.gone["tx"][1])
    for key, count in drops.items():
        # a packet that its transmit node had to drop was counted out by the output node before
        node = key.partition(":")[0]
        if node.endswith("-tx") and not _is_looped(plane, node.removesuffix("-tx")):
            lost_in_tx += count
    made.packets_out -= lost_in_tx
    return made
