"""What a rewrite does to checksums, worked out once a session (RFC 1624): numbers to be added in ones' complement."""

from __future__ import annotations

from vectorplane.graph_nodes.ip4_header import fold
from vectorplane.graph_nodes.nat44.session import HALF, OP_ICMP_ID
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import rec, shr


@helper
def _words(x: int) -> int:
    """Sum of the four 16-bit words."""
    return (x & 0xFFFF) + (shr(x, 16) & 0xFFFF) + (shr(x, 32) & 0xFFFF) + shr(x, 48)


@helper
def difference(old: int, new: int) -> int:
    """What to add to a checksum when words whose sum was ``old`` become words whose sum is ``new``; 0: nothing."""
    # the checksum is the complement of the sum: it loses what the sum gains
    return 0 if old == new else fold(old + (~fold(new) & 0xFFFF))


@helper
def adjusted(checksum: int, change: int) -> int:
    """A checksum with a `difference` added."""
    total = checksum + change
    return (total & 0xFFFF) + (total >> 16)


@routine
def work_out(half: int) -> None:
    """Fill in a half's `sums` from its match and its rewrite."""
    h = rec(half, HALF)
    addresses = difference(_words(h.addresses), _words(h.new_addresses))
    if h.ops & OP_ICMP_ID:
        ports = difference(shr(h.key, 32) & 0xFFFF, h.new_id)
    else:
        old = (shr(h.key, 32) & 0xFFFF) + shr(h.key, 48)
        ports = difference(old, (h.new_ports & 0xFFFF) + ((h.new_ports >> 16) & 0xFFFF))
    h.sums = addresses | ports << 16
