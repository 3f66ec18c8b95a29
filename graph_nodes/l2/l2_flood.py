"""l2-flood: broadcast, multicast and unknown unicast: a replica to each member of the bridge domain.

Not to the port where the frame came in, nor to those of its split-horizon group (unless that is 0). The BVI comes last,
since L3 may change what it gets. The frame itself goes to the last member; short ones are copied for the others, long
ones share all but their head (`vectorplane.graph_nodes.replicate`), but what goes to L3 is whole and its own.

Nobody to flood to: a drop, "L2 replication complete". Without free buffers some members get nothing: "L2 replication
failures". Balance: replicas beyond the first are generated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import FRAME_SIZE, KEPT, NODE, WORKER, buffer_index, frame_n, get_next, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, buffer_at, reserve
from vectorplane.dataplane.frame import append, emit, open_frame
from vectorplane.dataplane.node import NodeType
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.l2.config import BRIDGE_DOMAIN, DOMAIN_SIZE, MEMBER_BVI, MEMBER_SHG, L2Config
from vectorplane.graph_nodes.l2.header import ARP_LE, BAD_MAC, BAD_TYPE, IP4_LE, to_bvi
from vectorplane.graph_nodes.l2.trace import FLOOD_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.graph_nodes.rare import free
from vectorplane.graph_nodes.replicate import copy_head, copy_packet, copy_short, cut_head, is_short, share
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld32s, ld64, prefetch, rec

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("l2-output", "error-drop", "ip4-input", "arp-input", "ip6-input")
L2_OUTPUT, DROP, IP4, ARP, IP6 = range(5)
ERRORS = named_by_text(
    "L2 flood packets",
    "L2 replication failures",
    "L2 replication complete",
    "BVI L3 mac mismatch",
    "BVI packet with unhandled ethertype",
)
E_FLOOD, E_REPL_FAIL, E_NO_MEMBERS, E_BVI_BAD_MAC, E_BVI_TYPE = range(5)

RUNTIME = np.dtype([("domains", "i8"), ("words", "i8")])

_INDEX, _GROUP = (1 << 32) - 1, 0xFF


@helper
def wanted(member: int, rx: int, shg: int) -> bool:
    """Does this member get a frame that came in on ``rx``, of split-horizon group ``shg``?"""
    return (member & _INDEX) != rx and (shg == 0 or (member >> MEMBER_SHG) & _GROUP != shg)


@routine
def to_member(worker: int, node: int, b: int, member: int) -> int:
    """The slot of a replica: to a port, or to L3 when the member is the BVI."""
    m = rec(b, BUFFER)
    if member & MEMBER_BVI == 0:
        m.tx_sw_if = member & _INDEX
        return L2_OUTPUT
    kind = to_bvi(worker, b, member & _INDEX)
    if kind == BAD_MAC or kind == BAD_TYPE:
        m.error = rec(node, NODE).err_base + (E_BVI_BAD_MAC if kind == BAD_MAC else E_BVI_TYPE)
        return DROP
    return IP4 if kind == IP4_LE else (ARP if kind == ARP_LE else IP6)


@routine
def at_hand(worker: int) -> int:
    """Buffers that the worker has to itself: one at least, unless there are none."""
    if reserve(worker, 1) < 1:
        return 0
    return int(rec(worker, WORKER).cache_n)


@routine
def flood_long(worker: int, node: int, index: int, run: int, members: int, wanted_n: int) -> int:
    """Replicas of a long packet; gives `KEPT`: the packet itself has become their tail, or is gone."""
    w = rec(worker, WORKER)
    m = rec(buffer_at(worker, index), BUFFER)
    rx = m.rx_sw_if
    shg = rec(buffer_at(worker, index), L2_BUFFER).shg & _GROUP
    whole = 0
    last = ld64(run + 8 * (members - 1))
    if wanted(last, rx, shg) and last & MEMBER_BVI:
        whole = 1  # L3 gets a packet that nobody shares
    made_n = 0
    if whole:
        made = copy_packet(worker, index)
        if made >= 0:
            emit(worker, node, to_member(worker, node, buffer_at(worker, made), last), made)
            made_n = 1
    todo = wanted_n - whole
    shared = 0
    k = 0
    while todo > 0:
        heads = reserve(worker, min(todo, 256))
        if heads < 1:
            break
        # of the replicas of the first round one has the packet's own reference
        share(worker, index, heads if shared == 0 else heads + 1)
        shared += heads
        todo -= heads
        while heads > 0:
            member = ld64(run + 8 * k)
            k += 1
            if wanted(member, rx, shg) and member & MEMBER_BVI == 0:
                made = copy_head(worker, index)
                emit(worker, node, to_member(worker, node, buffer_at(worker, made), member), made)
                heads -= 1
    if shared > 0:
        cut_head(worker, index)
        made_n += shared
    else:
        free(worker, index)
    if made_n < wanted_n:
        count(worker, rec(node, NODE).err_base + E_REPL_FAIL, wanted_n - made_n)
    w.generated += made_n - 1
    return KEPT


@kernel
def l2_flood(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    err = d.err_base
    n = frame_n(frame)
    to_output = ld32s(d.nexts + 4 * L2_OUTPUT)
    out = 0  # the frame that copies are put into: l2-output's open one, once there is a copy
    promised = 0
    failed = 0
    generated = 0
    sent = 0  # packets that have left the frame already, with the last long one
    for i in range(n):
        prefetch(pool + buffer_index(frame, i + 4) * CELL)
        index = buffer_index(frame, i)
        b = pool + index * CELL
        m = rec(b, BUFFER)
        rx = m.rx_sw_if
        shg = rec(b, L2_BUFFER).shg & _GROUP
        flood = rec(r.domains + rec(b, L2_BUFFER).bd_index * DOMAIN_SIZE, BRIDGE_DOMAIN).flood
        run = r.words + 8 * (flood >> 16)
        members = flood & 0xFFFF
        if is_short(b):
            # each wanted member but the last one found gets a copy
            waiting = -1
            for k in range(members):
                member = ld64(run + 8 * k)
                if wanted(member, rx, shg):
                    if waiting >= 0:
                        if promised == 0:
                            promised = at_hand(worker)
                        if promised == 0:
                            failed += 1
                        else:
                            promised -= 1
                            if promised >= 4:
                                soon = pool + ld32s(w.cache + 4 * (w.cache_n - 5)) * CELL
                                prefetch(soon)
                                prefetch(soon + DATA)
                            made = copy_short(worker, index)
                            rec(pool + made * CELL, BUFFER).tx_sw_if = waiting & _INDEX
                            if out == 0 or frame_n(out) == FRAME_SIZE:
                                out = open_frame(worker, to_output)
                            append(out, made)
                            generated += 1
                    waiting = member
            if waiting >= 0:
                if waiting & MEMBER_BVI:
                    set_next(frame, i, to_member(worker, node, b, waiting))
                else:
                    m.tx_sw_if = waiting & _INDEX
                    set_next(frame, i, L2_OUTPUT)
                continue
        else:
            wanted_n = 0
            for k in range(members):
                if wanted(ld64(run + 8 * k), rx, shg):
                    wanted_n += 1
            if wanted_n > 1:
                # its replicas leave now, and what came before it goes first
                for j in range(sent, i):
                    emit(worker, node, get_next(frame, j), buffer_index(frame, j))
                    set_next(frame, j, KEPT)
                sent = i + 1
                set_next(frame, i, flood_long(worker, node, index, run, members, wanted_n))
                promised = 0
                continue
            if wanted_n == 1:
                for k in range(members):
                    member = ld64(run + 8 * k)
                    if wanted(member, rx, shg):
                        set_next(frame, i, to_member(worker, node, b, member))
                        break
                continue
        m.error = err + E_NO_MEMBERS
        set_next(frame, i, DROP)
    w.generated += generated
    if failed > 0:
        count(worker, err + E_REPL_FAIL, failed)
    count(worker, err + E_FLOOD, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """Domains and their members."""
    config = plane.shared(L2Config)
    node.data["domains"], node.data["words"] = config.domains_address, config.words_address


L2_FLOOD = NodeType(
    name="l2-flood",
    kernel=l2_flood,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=FLOOD_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
