"""A capture that is sent by a pod, and what became of it on all nodes."""

from __future__ import annotations

from typing import Any

from vectorplane.control.cluster.simulated.cluster import Cluster
from vectorplane.control.cluster.simulated.targets import Source


def play(cluster: Cluster, sender: Source, capture: str, rewrite: bool) -> Any:
    """Send it, at its own pace of virtual time; what is left under way then is given a second.

    Raises:
        CaptureError, OSError: it can't be read.
    """
    before = {name: node.counts() for name, node in cluster.nodes.items()}
    sent = sender.host.replay_file(capture, rewrite=rewrite)
    cluster.wait_until(lambda: sent.done)
    cluster.advance(1.0)
    told = [f"{sender.label} sent {sent.sent:,} packets of {capture}; {sent.skipped:,} are none that a pod could send"]
    nodes = {}
    for name, node in cluster.nodes.items():
        counted = node.counts()
        counted.subtract(before[name])
        nodes[name] = {text: count for text, count in sorted(counted.items()) if count}
        told += [f"{name}:", *(f"  {count:>10,}  {text}" for text, count in nodes[name].items())]
    return {"text": "\n".join(told), "sent": sent.sent, "skipped": sent.skipped, "nodes": nodes}
