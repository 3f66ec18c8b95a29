"""Rules of a MACIP list: source MAC and IP address together (VPP's acl plugin)."""

from __future__ import annotations

from typing import NamedTuple

from vectorplane.graph_nodes.acl.macip_table import BOTH_WAYS

DENY, PERMIT, PERMIT_BOTH_WAYS = 0, 1, BOTH_WAYS
"""Actions. `PERMIT_BOTH_WAYS` is also checked on what leaves, by its destination addresses."""


class MacipRule(NamedTuple):
    """One rule."""

    action: int = PERMIT
    ip6: bool = False
    mac: bytes = bytes(6)
    mac_mask: bytes = bytes(6)
    src: int = 0
    src_len: int = 0
