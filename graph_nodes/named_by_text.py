"""Error counters that are named by their texts, ``/err/NODE/TEXT``: of VPP's nodes that have no symbols for them."""

from __future__ import annotations


def named_by_text(*texts: str) -> tuple[tuple[str, str], ...]:
    """The errors of a node (`vectorplane.dataplane.node.NodeType`)."""
    return tuple((text, text) for text in texts)
