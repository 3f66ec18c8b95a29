"""The feature bitmaps of L2 nodes: which node is next is told by the highest bit that a packet has left (as in VPP).

Every node of the L2 path has a table of slots by bit at the head of its runtime data (`NEXT_BY_BIT`). A bit whose node
does not exist here leads to `feature-bitmap-drop`, as in VPP a bit of a plugin that is not loaded does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import clz, ld16s, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node

INPUT_FEATURES = (
    ("DROP", "feature-bitmap-drop"),
    ("XCONNECT", "l2-output"),
    ("FLOOD", "l2-flood"),
    ("ARP_UFWD", "l2-uu-fwd"),
    ("ARP_TERM", "arp-term-l2bd"),
    ("UU_FLOOD", "l2-flood"),
    ("UU_FWD", "l2-uu-fwd"),
    ("FWD", "l2-fwd"),
    ("RW", "l2-rw"),
    ("LEARN", "l2-learn"),
    ("SRV6", "sr-pl-rewrite-encaps-l2"),
    ("VTR", "l2-input-vtr"),
    ("L2_IP_QOS_RECORD", "l2-ip-qos-record"),
    ("VPATH", "vpath-input-l2"),
    ("ACL", "l2-input-acl"),
    ("POLICER", "l2-policer-input"),
    ("POLICER_CLAS", "l2-policer-classify"),
    ("INPUT_FEAT_ARC", "l2-input-feat-arc"),
    ("INPUT_CLASSIFY", "l2-input-classify"),
    ("SPAN", "span-l2-input"),
)
"""Name and node by bit, lowest first."""

OUTPUT_FEATURES = (
    ("OUTPUT", "interface-output"),
    ("SPAN", "span-l2-output"),
    ("CFM", "feature-bitmap-drop"),
    ("QOS", "feature-bitmap-drop"),
    ("ACL", "l2-output-acl"),
    ("L2PT", "feature-bitmap-drop"),
    ("EFP_FILTER", "l2-efp-filter"),
    ("IPIW", "feature-bitmap-drop"),
    ("STP_BLOCKED", "feature-bitmap-drop"),
    ("LINESTATUS_DOWN", "feature-bitmap-drop"),
    ("OUTPUT_CLASSIFY", "l2-output-classify"),
    ("OUTPUT_FEAT_ARC", "l2-output-feat-arc"),
    ("POLICER", "l2-policer-output"),
    ("XCRW", "l2-xcrw"),
)

DROP, XCONNECT, FLOOD, ARP_UFWD, ARP_TERM, UU_FLOOD, UU_FWD, FWD, RW, LEARN, SRV6, VTR = (1 << k for k in range(12))
ACL, FEAT_ARC, SPAN = 1 << 14, 1 << 17, 1 << 19
OUT_OUTPUT, OUT_SPAN, OUT_ACL, OUT_EFP_FILTER, OUT_FEAT_ARC = 1, 2, 16, 64, 1 << 11

BITS = 32
NEXT_BY_BIT = ("next_by_bit", "i2", (BITS,))
"""First field of the runtime data of an L2 node."""


@helper
def slot_of(data: int, bitmap: int) -> int:
    """The slot that the highest bit of ``bitmap`` leads to (none: as `DROP`); ``data`` is the node's runtime data."""
    # a bitmap is read as a signed number: its highest bit must not reach beyond the table
    return ld16s(data + 2 * (63 - clz((bitmap & 0xFFFFFFFF) | DROP)))


@helper
def next_without(data: int, b: int, bit: int) -> int:
    """Take a feature's bit off packet ``b``; the slot that the highest bit left leads to."""
    left = rec(b, L2_BUFFER).feature_bitmap & ~bit
    rec(b, L2_BUFFER).feature_bitmap = left
    return slot_of(data, left)


def bind_features(node: Node, features: tuple[tuple[str, str], ...]) -> None:
    """Fill a node's table of slots by bit."""
    graph = node.graph
    drop = graph.add_next(node, "feature-bitmap-drop")
    node.data["next_by_bit"] = drop
    for bit, (_, name) in enumerate(features):
        if name in graph.registry:
            node.data["next_by_bit"][:, bit] = graph.add_next(node, name)
