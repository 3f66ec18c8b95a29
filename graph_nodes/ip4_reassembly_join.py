"""Making one packet of the fragments of a datagram that is complete.

The first fragment's header is kept, with length, fragment field and checksum set anew; the other fragments'
headers, padding and what overlaps are cut off; the buffers are linked, and their bytes moved up so that the
first ones are full (as VPP: whoever looks at a transport header finds it whole).
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, DATA_SIZE, NEXT_PRESENT, buffer_at
from vectorplane.graph_nodes.ip4_header import FRAGMENT, LENGTH
from vectorplane.graph_nodes.ip4_reassembly_table import RANGE, range_of
from vectorplane.graph_nodes.rare import copy, free, set_checksum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap16, ld8, rec, st16


@helper
def free_one(worker: int, index: int) -> None:
    """Free a buffer, not what follows it."""
    rec(buffer_at(worker, index), BUFFER).flags &= ~NEXT_PRESENT
    free(worker, index)


def _append(worker: int, last: int, index: int, skip: int, keep: int) -> int:
    """Link ``keep`` bytes of packet ``index``, from byte ``skip`` on, behind buffer ``last`` (-1: to nothing).

    Buffers that hold none of them are freed. Gives the last buffer.
    """
    more = 1
    while more != 0:
        m = rec(buffer_at(worker, index), BUFFER)
        more = m.flags & NEXT_PRESENT
        following = m.next_buffer
        cut = min(skip, m.current_length)
        skip -= cut
        size = min(m.current_length - cut, keep)
        if size > 0:
            m.current_data = m.current_data + cut
            m.current_length = size
            m.flags &= ~NEXT_PRESENT
            keep -= size
            if last >= 0:
                p = rec(buffer_at(worker, last), BUFFER)
                p.next_buffer = index
                p.flags |= NEXT_PRESENT
            last = index
        else:
            free_one(worker, index)
        index = following
    return last


append = routine(_append)


def _compact(worker: int, index: int) -> int:
    """Move the bytes of packet ``index`` up so that all its buffers but the last are full; free what is left over.

    The target never overtakes the source, so a buffer may be both.
    """
    to_index = index
    t = rec(buffer_at(worker, to_index), BUFFER)
    room = DATA_SIZE - t.current_data - t.current_length
    at = index
    while rec(buffer_at(worker, at), BUFFER).flags & NEXT_PRESENT:
        at = rec(buffer_at(worker, at), BUFFER).next_buffer
        b = buffer_at(worker, at)
        m = rec(b, BUFFER)
        source = b + DATA + m.current_data
        size = m.current_length
        while size > 0:
            if room == 0:
                to_index = rec(buffer_at(worker, to_index), BUFFER).next_buffer
                t = rec(buffer_at(worker, to_index), BUFFER)
                t.current_data = min(0, t.current_data)
                t.current_length = 0
                room = DATA_SIZE - t.current_data
            part = min(size, room)
            to = buffer_at(worker, to_index) + DATA + t.current_data + t.current_length
            if to != source:
                copy(to, source, part)
            t.current_length = t.current_length + part
            source += part
            size -= part
            room -= part
    if t.flags & NEXT_PRESENT:
        t.flags &= ~NEXT_PRESENT
        free(worker, t.next_buffer)
    return 0


compact = routine(_compact)


def _join(worker: int, first: int) -> int:
    """Make one packet of all ranges from the one in buffer ``first`` on; gives its length.

    0, with nothing changed, when they make no packet: more than 65,535 bytes, or the first one's front is missing.
    """
    index = first
    total = 0
    while index >= 0:
        b = buffer_at(worker, index)
        r = rec(range_of(b), RANGE)
        if index == first:
            if r.first != r.fragment_first:
                return 0
            total = (ld8(b + DATA + rec(b, BUFFER).current_data) & 15) * 4
        total += r.last - r.first + 1
        index = r.next
    if total > 0xFFFF:
        return 0
    last = -1
    index = first
    while index >= 0:
        b = buffer_at(worker, index)
        r = rec(range_of(b), RANGE)
        following = r.next
        header = (ld8(b + DATA + rec(b, BUFFER).current_data) & 15) * 4
        keep = r.last - r.first + 1
        if index == first:
            last = append(worker, last, index, 0, header + keep)
        else:
            last = append(worker, last, index, header + r.first - r.fragment_first, keep)
        index = following
    compact(worker, first)
    b = buffer_at(worker, first)
    m = rec(b, BUFFER)
    m.total_rest = total - m.current_length
    ip = b + DATA + m.current_data
    st16(ip + LENGTH, bswap16(total))
    st16(ip + FRAGMENT, 0)
    set_checksum(ip)
    return total


join = routine(_join)
