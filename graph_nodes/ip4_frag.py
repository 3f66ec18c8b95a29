"""ip4-frag: packets too long for where they go, cut into fragments (RFC 791 2.3 and 3.2; RFC 1812 4.2.2.7).

The MTU comes in `icmp_data`, as ip4-rewrite leaves it; the fragments go back to ip4-rewrite (ip4-midchain when
that is what their adjacency needs) with the packet's own TTL. As VPP's: each fragment is one buffer of its own,
so at most 2,048 bytes; all but the last carry as many bytes as fit, a multiple of 8; a packet gets an
identification from a running number, a fragment keeps its own and its place. Fragments are no packets of our own:
those of an echo reply lose one of their TTL on the way out.

Unlike VPP (whose packets with options never come here) the options of RFC 791 3.1 are honoured: the first
fragment has all, the others those with the copied flag.

Errors: "can't fragment this packet" (DF, answered by ip4-icmp-error), "can't fragment header" (not even 8 bytes
fit), "malformed packet" (shorter than its header says), "could not allocate buffer". Then the whole packet is
dropped. "number of sent fragments" and "packet smaller than MTU" (one fragment sufficed) are counted besides.

Balance: the packet becomes its first fragment; the others are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import KEPT, NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, DATA_SIZE, IS_IP4, TRACED, buffer_at, length_in_chain
from vectorplane.dataplane.frame import emit
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.flow_state import FlowState, next_fragment_id
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY, DPO_MIDCHAIN, Forwarding
from vectorplane.graph_nodes.ip4_header import DONT_FRAGMENT, FRAGMENT, ID, LENGTH, MORE_FRAGMENTS, OFFSET_MASK
from vectorplane.graph_nodes.ip4_options_copy import copy_options
from vectorplane.graph_nodes.rare import allocate, copy, free, set_checksum
from vectorplane.graph_nodes.trace_ip4 import FRAGMENT_TRACE
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, bswap16, ld8, rec, st8, st16

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("ip4-rewrite", "ip4-midchain", "ip4-lookup", "ip4-icmp-error", "ip4-drop")
REWRITE, MIDCHAIN, LOOKUP, ICMP_ERROR, DROP = range(5)

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

RUNTIME = np.dtype([("flows", "i8"), ("adjacencies", "i8")])


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
            while first >= 0:
                following = rec(buffer_at(worker, first), BUFFER).next_buffer
                free(worker, first)
                first = following
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


@kernel
def ip4_frag(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    for i in range(frame_n(frame)):
        bi = buffer_index(frame, i)
        b = w.pool + bi * CELL
        m = rec(b, BUFFER)
        ip = b + DATA + m.current_data
        mtu = m.icmp_data
        error = refusal(b, ip, mtu)
        first = -1
        if error == E_NONE:
            new_id = 0
            if (be16(ip + FRAGMENT) & (MORE_FRAGMENTS | OFFSET_MASK)) == 0:
                new_id = next_fragment_id(r.flows, b)
            first = fragment(worker, b, ip, mtu, new_id)
            if first < 0:
                error = E_MEMORY
        if error == E_NONE:
            slot = MIDCHAIN if rec(r.adjacencies + m.adj * ADJ_SIZE, ADJACENCY).type == DPO_MIDCHAIN else REWRITE
            sent = 0
            while first >= 0:
                n = rec(buffer_at(worker, first), BUFFER)
                following = n.next_buffer
                n.next_buffer = 0
                emit(worker, node, slot, first)
                sent += 1
                first = following
            w.generated += sent - 1
            count(worker, d.err_base + E_FRAGMENT_SENT, sent)
            if sent == 1:
                count(worker, d.err_base + E_SMALL_PACKET, 1)
            free(worker, bi)
            set_next(frame, i, KEPT)
            continue
        m.error = d.err_base + error
        if error == E_DONT_FRAGMENT_SET:
            m.icmp_type = 3
            m.icmp_code = 4
            set_next(frame, i, ICMP_ERROR)
        else:
            set_next(frame, i, DROP)
    return frame_n(frame)


def bind(plane: Dataplane, node: Node) -> None:
    """Identifications; adjacencies, which tell where fragments go."""
    node.data["flows"] = plane.shared(FlowState).address
    node.data["adjacencies"] = plane.shared(Forwarding).adj_address


IP4_FRAG = NodeType(
    name="ip4-frag",
    kernel=ip4_frag,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FRAGMENT_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
