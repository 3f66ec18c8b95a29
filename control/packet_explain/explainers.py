"""All explainers. Who adds nodes adds a file with its `EXPLAINERS`, and a line here.

A node without one is explained by its trace. Several for one node are asked one after the other: so a policy's part
can tell where an ACL comes from behind the ACLs' own.
"""

from __future__ import annotations

from vectorplane.control.packet_explain import acl, ends, ethernet, ip4, l2, lookup, macip, nat44, neighbour, tunnel
from vectorplane.control.packet_explain.moment import Explainer

EXPLAINERS: tuple[Explainer, ...] = (
    *ethernet.EXPLAINERS,
    *ip4.EXPLAINERS,
    *acl.EXPLAINERS,
    *macip.EXPLAINERS,
    *nat44.EXPLAINERS,
    *lookup.EXPLAINERS,
    *neighbour.EXPLAINERS,
    *l2.EXPLAINERS,
    *tunnel.EXPLAINERS,
    *ends.EXPLAINERS,
)


def explainers_of(node: str, known: tuple[Explainer, ...] = EXPLAINERS) -> list[Explainer]:
    """Those for a type of node, in their order."""
    return [e for e in known if node in e.nodes]
