"""The outer IPv4 header of a midchain: finishing it, and why there is none (errors of `tunnel-output`)."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, length_in_chain
from vectorplane.graph_nodes.forwarding import (
    FIXUP_COPY_DF,
    FIXUP_COPY_DSCP,
    FIXUP_COPY_ECN,
    FIXUP_COPY_TTL,
)
from vectorplane.graph_nodes.ip4_header import set_checksum
from vectorplane.graph_nodes.tunnels.underlay import ROOM
from vectorplane.graph_nodes.turns import TOO_MANY
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import bswap16, ld8, rec, st8, st16

__all__ = ["ERRORS", "E_NO_ROOM", "E_TOO_MANY", "ROOM", "finish_outer"]

ERRORS = (TOO_MANY, ("no_room", "no room for another header"))
E_TOO_MANY, E_NO_ROOM = range(2)
"""VPP goes on for ever, and writes in front of the buffer."""

_DSCP, _ECN, _DF = 0xFC, 0x03, 0x40


@routine
def finish_outer(b: int, inner: int, fixup: int) -> None:
    """Set length and checksum of the outer header, which begins the packet, and what it takes over from ``inner``."""
    outer = b + DATA + rec(b, BUFFER).current_data
    st16(outer + 2, bswap16(length_in_chain(b)))
    if fixup != 0:
        tos = ld8(outer + 1)
        if fixup & FIXUP_COPY_DSCP:
            tos = (tos & ~_DSCP) | (ld8(inner + 1) & _DSCP)
        if fixup & FIXUP_COPY_ECN:
            tos = (tos & ~_ECN) | (ld8(inner + 1) & _ECN)
        st8(outer + 1, tos)
        if fixup & FIXUP_COPY_DF:
            st8(outer + 6, ld8(outer + 6) | (ld8(inner + 6) & _DF))
        if fixup & FIXUP_COPY_TTL:
            st8(outer + 8, ld8(inner + 8))
    set_checksum(outer)
