"""TCP and UDP checksums over a packet's buffers, pseudo header included (RFC 9293 3.1, RFC 768)."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, NEXT_PRESENT, buffer_at
from vectorplane.graph_nodes.ip4_header import DESTINATION, PROTOCOL, SOURCE, add_words, fold
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap16, ld8, ld32, rec


def _chain_sum(worker: int, b: int, skip: int, size: int, total: int) -> int:
    """Add ``size`` bytes of the packet at ``b``, from byte ``skip`` on, to ``total``; folded.

    -1 when the packet ends before.
    """
    odd = 0
    while size > 0:
        m = rec(b, BUFFER)
        here = m.current_length - skip
        if here > 0:
            here = min(here, size)
            part = fold(add_words(0, b + DATA + m.current_data + skip, here))
            # a part that begins at an odd place counts with its bytes swapped (RFC 1071, 2 (B))
            total += bswap16(part) if odd != 0 else part
            odd ^= here & 1
            size -= here
            skip = 0
        else:
            skip -= m.current_length
        if size > 0:
            if (m.flags & NEXT_PRESENT) == 0:
                return -1
            b = buffer_at(worker, m.next_buffer)
    return fold(total)


chain_sum = routine(_chain_sum)


@helper
def l4_sum(worker: int, b: int, ip: int, header: int, size: int) -> int:
    """Sum over the pseudo header and the ``size`` bytes behind the IPv4 header at ``ip`` (``header`` bytes long).

    0xFFFF when the checksum in there is right; -1 when the packet ends before.
    """
    total = ld32(ip + SOURCE) + ld32(ip + DESTINATION) + (ld8(ip + PROTOCOL) << 8) + bswap16(size)
    if header + size <= rec(b, BUFFER).current_length:
        return fold(add_words(total, ip + header, size))
    return chain_sum(worker, b, header, size, total)
