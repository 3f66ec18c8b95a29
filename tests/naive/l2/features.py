"""VPP's feature bitmaps of L2, by name: which node a frame visits next."""

from __future__ import annotations

from collections.abc import Collection

INPUT = {
    "DROP": "feature-bitmap-drop",
    "XCONNECT": "l2-output",
    "FLOOD": "l2-flood",
    "ARP_UFWD": "l2-uu-fwd",
    "ARP_TERM": "arp-term-l2bd",
    "UU_FLOOD": "l2-flood",
    "UU_FWD": "l2-uu-fwd",
    "FWD": "l2-fwd",
    "RW": "l2-rw",
    "LEARN": "l2-learn",
    "SRV6": "sr-pl-rewrite-encaps-l2",
    "VTR": "l2-input-vtr",
    "L2_IP_QOS_RECORD": "l2-ip-qos-record",
    "VPATH": "vpath-input-l2",
    "ACL": "l2-input-acl",
    "POLICER": "l2-policer-input",
    "POLICER_CLAS": "l2-policer-classify",
    "INPUT_FEAT_ARC": "l2-input-feat-arc",
    "INPUT_CLASSIFY": "l2-input-classify",
    "SPAN": "span-l2-input",
}
OUTPUT = {
    "OUTPUT": "interface-output",
    "SPAN": "span-l2-output",
    "CFM": "feature-bitmap-drop",
    "QOS": "feature-bitmap-drop",
    "ACL": "l2-output-acl",
    "L2PT": "feature-bitmap-drop",
    "EFP_FILTER": "l2-efp-filter",
    "IPIW": "feature-bitmap-drop",
    "STP_BLOCKED": "feature-bitmap-drop",
    "LINESTATUS_DOWN": "feature-bitmap-drop",
    "OUTPUT_CLASSIFY": "l2-output-classify",
    "OUTPUT_FEAT_ARC": "l2-output-feat-arc",
    "POLICER": "l2-policer-output",
    "XCRW": "l2-xcrw",
}
NOWHERE = "feature-bitmap-drop"


def bits(*names: str, of: dict[str, str] = INPUT) -> int:
    """The bitmap of these features."""
    return sum(1 << list(of).index(name) for name in names)


def following(bitmap: int, there: Collection[str], of: dict[str, str] = INPUT) -> str:
    """The node of the highest bit; a bit without a name, or whose node is not ``there``, leads nowhere."""
    nodes = list(of.values())
    highest = bitmap.bit_length() - 1
    found = nodes[highest] if 0 <= highest < len(nodes) else NOWHERE
    return found if found in there else NOWHERE
