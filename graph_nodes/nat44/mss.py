"""MSS clamping: the maximum segment size that a SYN announces is at most what was configured (RFC 9293 3.7.1)."""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.checksums import adjusted, difference
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import bswap16, ld8, ld16, st8, st16

_SYN = 2
_END, _NO_OPERATION, _MSS = 0, 1, 2
_MSS_LENGTH = 4


@routine
def _clamp_odd(tcp: int, at: int, mss: int) -> None:
    old = ld16(tcp + at - 1) + ld16(tcp + at + 1)
    st8(tcp + at, mss >> 8)
    st8(tcp + at + 1, mss & 0xFF)
    new = ld16(tcp + at - 1) + ld16(tcp + at + 1)
    st16(tcp + 16, adjusted(ld16(tcp + 16), difference(old, new)))


@routine
def clamp(tcp: int, left: int, mss: int) -> None:
    """Clamp a segment's MSS option; ``left``: bytes of the segment that are there. Options that make no sense stay."""
    if ld8(tcp + 13) & _SYN == 0:
        return
    end = min((ld8(tcp + 12) >> 4) * 4, left)
    at = 20
    while at + _MSS_LENGTH <= end:
        kind = ld8(tcp + at)
        if kind == _END:
            return
        if kind == _NO_OPERATION:
            at += 1
            continue
        length = ld8(tcp + at + 1)
        if length < 2 or at + length > end:
            return
        if kind == _MSS:
            old = ld16(tcp + at + 2)
            if length == _MSS_LENGTH and bswap16(old) > mss:
                new = bswap16(mss)
                if at & 1:  # the checksum sees the option's bytes in two words
                    _clamp_odd(tcp, at + 2, mss)
                else:
                    st16(tcp + at + 2, new)
                    st16(tcp + 16, adjusted(ld16(tcp + 16), difference(old, new)))
            return
        at += length
