"""A try with the packet trace of every node on."""

from __future__ import annotations

from vectorplane.backends.engine.sim_host.probe import Probe
from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.reach import probe
from vectorplane.control.cluster.simulated.targets import Source, Target

_PACKETS = 50


def traced(cluster: Cluster, source: Source, target: Target) -> tuple[Probe, str]:
    """The try, and the trace of each node that saw packets of it."""
    running = [node for node in cluster.nodes.values() if not node.down]
    for node in running:
        node.cli("clear trace")
        node.cli(f"trace add sim-input {_PACKETS}")
    tried = probe(source.host, target)
    cluster.wait_for(tried)
    parts = []
    for node in running:
        text = node.cli("show trace").strip("\n")
        node.cli("clear trace")
        if "Packet" in text:
            parts.append(f"{node.name}\n{'=' * len(node.name)}\n{text}\n")
    return tried, "\n".join(parts)
