"""Cutting one IPv4 packet into fragments (RFC 791 3.2): what `ip4-frag` does with each packet.

Each fragment is one new buffer; the packet stays as it is.
"""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER, DATA, DATA_SIZE, IS_IP4, TRACED, buffer_at, length_in_chain
from vectorplane.graph_nodes.ip4_header import DONT_FRAGMENT, FRAGMENT, ID, LENGTH, MORE_FRAGMENTS, OFFSET_MASK
from vectorplane.graph_nodes.ip4_options_copy import copy_options
from vectorplane.graph_nodes.linked import free_linked
from vectorplane.graph_nodes.rare import allocate, copy, set_checksum
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import be16, bswap16, ld8, rec, st8, st16

ERRORS = (
    ("none", "packet fragmented"),
    ("small_packet", "packet smaller than MTU"),
    ("fragment_sent", "number of sent fragments"),
    ("cant_fragment_header", "can't fragment header"),
    ("dont_fragment_set", "can't fragment this packet"),
    ("malformed", "malformed packet"),
    ("memory", "could not allocate buffer"),
    ("unknown", "unknown error"),
)
E_NONE, E_SMALL_PACKET, E_FRAGMENT_SENT, E_CANT_FRAGMENT_HEADER, E_DONT_FRAGMENT_SET, E_MALFORMED, E_MEMORY = range(7)


@routine
def refusal(b: int, ip: int, mtu: int) -> int:
    """Why the packet cannot be fragmented; `E_NONE` when it can."""
    m = rec(b, BUFFER)
    if m.current_length < 20:
        return E_MALFORMED
    header = (ld8(ip) & 15) * 4
    total = be16(ip + LENGTH)
    if header < 20 or header > m.current_length or total <= header or total > length_in_chain(b):
        return E_MALFORMED
    if min(mtu, DATA_SIZE) < header + 8:
        return E_CANT_FRAGMENT_HEADER
    if be16(ip + FRAGMENT) & DONT_FRAGMENT:
        return E_DONT_FRAGMENT_SET
    return E_NONE


def _gather(worker: int, b: int, at: int, to: int, size: int) -> int:
    """Copy ``size`` bytes, from byte ``at`` of the packet at ``b`` on, out of its chain; they are there."""
    while size > 0:
        m = rec(b, BUFFER)
        here = m.current_length - at
        if here > 0:
            here = min(here, size)
            copy(to, b + DATA + m.current_data + at, here)
            to += here
            size -= here
            at = 0
        else:
            at -= m.current_length
        if size > 0:
            b = buffer_at(worker, m.next_buffer)
    return 0


gather = routine(_gather)


@helper
def like(worker: int, b: int, index: int) -> int:
    """Give a fragment's new buffer the metadata of its packet; gives its address."""
    to = buffer_at(worker, index)
    m = rec(b, BUFFER)
    n = rec(to, BUFFER)
    n.flags = IS_IP4 | (m.flags & TRACED)
    n.trace = m.trace
    n.time = m.time
    n.seq = m.seq
    n.partition = m.partition
    n.rx_sw_if = m.rx_sw_if
    n.tx_sw_if = m.tx_sw_if
    n.adj = m.adj
    n.fib_index = m.fib_index
    n.flow_hash = m.flow_hash
    return to


def _fragment(worker: int, b: int, ip: int, mtu: int, new_id: int) -> int:
    """Make all fragments: the first one's buffer index, the others linked by `next_buffer`; -1 without buffers.

    The last one's `next_buffer` is -1.
    """
    header = (ld8(ip) & 15) * 4
    rest = be16(ip + LENGTH) - header
    place = be16(ip + FRAGMENT)
    more = place & MORE_FRAGMENTS
    is_whole = (place & (MORE_FRAGMENTS | OFFSET_MASK)) == 0
    place &= OFFSET_MASK
    limit = min(mtu, DATA_SIZE)
    at = header
    first = -1
    last = -1
    while rest > 0:
        index = allocate(worker)
        if index < 0:
            # what was made is given back; nothing of it has left
            free_linked(worker, first)
            return -1
        to = like(worker, b, index)
        data = to + DATA
        copy(data, ip, 20)
        own = header
        if header > 20:
            if first < 0:
                copy(data + 20, ip + 20, header - 20)
            else:
                own = 20 + copy_options(data + 20, ip + 20, header - 20)
                st8(data, 0x40 | (own >> 2))
        size = min(rest, (limit - own) & ~7)
        gather(worker, b, at, data + own, size)
        if is_whole:
            st16(data + ID, bswap16(new_id))
        flags = MORE_FRAGMENTS if size < rest else more
        st16(data + FRAGMENT, bswap16(flags | place))
        st16(data + LENGTH, bswap16(size + own))
        set_checksum(data)
        n = rec(to, BUFFER)
        n.current_length = size + own
        n.next_buffer = -1
        if first < 0:
            first = index
        else:
            rec(buffer_at(worker, last), BUFFER).next_buffer = index
        last = index
        at += size
        rest -= size
        place += size >> 3
    return first


fragment = routine(_fragment)
