"""The counters of tunnel nodes are named by their texts, as VPP's tunnel plugins have them: ``/err/NODE/TEXT``."""

from __future__ import annotations


def named_by_text(*texts: str) -> tuple[tuple[str, str], ...]:
    """The errors of a node (`vectorplane.dataplane.node.NodeType`)."""
    return tuple((text, text) for text in texts)
