"""l2-fwd: unicast frames leave by the interface where the bridge domain's MAC table has their destination.

* Found: by that interface. On the one where it came in: "Reflection Drop". A filtered address: "Filter Mac Drop". The
  router's own, through the BVI: to L3, as received by the BVI ("BVI L3 MAC mismatch", "BVI packet with unhandled
  ethertype").
* Not found, or known by a port or domain that was flushed since: the frame goes to the next feature, which floods it
  or sends it where unknown unicast goes; when there is none it is dropped ("L2 forward misses", "Stale entry Drop").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.node import NodeType, Trace
from vectorplane.dataplane.tables.hash_map import search_8, search_hashed_8
from vectorplane.dataplane.trace import begin_trace
from vectorplane.graph_nodes.l2.buffer import BD_WORD, L2_BUFFER
from vectorplane.graph_nodes.l2.config import I_SEQ, L2_INPUT_SIZE, L2Config
from vectorplane.graph_nodes.l2.features import (
    FWD,
    INPUT_FEATURES,
    NEXT_BY_BIT,
    UU_FLOOD,
    UU_FWD,
    bind_features,
    slot_of,
)
from vectorplane.graph_nodes.l2.fib import (
    AGE_NOT,
    BVI,
    CHUNK,
    FILTER,
    L2_FIB,
    MAC_MASK,
    NEWS_HEAD,
    NOT_THERE,
    SEQUENCE,
    L2FibTable,
    ask_for_buckets,
    before_news,
    flags_of,
    interface_of,
)
from vectorplane.graph_nodes.l2.header import ARP_LE, BAD_MAC, BAD_TYPE, IP4_LE, to_bvi
from vectorplane.graph_nodes.l2.trace import L2_TRACE, fwd_text
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import copy, ld32, ld64, offsets, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("l2-output", "error-drop", "ip4-input", "arp-input", "ip6-input")
L2_OUTPUT, DROP, IP4, ARP, IP6 = range(5)
ERRORS = named_by_text(
    "L2 forward packets",
    "L2 forward misses",
    "L2 forward hits",
    "BVI L3 MAC mismatch",
    "BVI packet with unhandled ethertype",
    "Filter Mac Drop",
    "Reflection Drop",
    "Stale entry Drop",
)
E_FWD, E_FLOOD, E_HIT, E_BVI_BAD_MAC, E_BVI_TYPE, E_FILTER, E_REFLECT, E_STALE = range(8)

RUNTIME = np.dtype(
    [
        NEXT_BY_BIT,
        ("fib", "i8"),
        ("inputs", "i8"),
        ("news", "i8"),
        ("scratch", "i8", (2 * CHUNK,)),  # keys and hashes of a chunk
    ],
    align=True,
)
_SCRATCH = offsets(RUNTIME, "scratch")[0]
DOMAIN_ONLY, DOMAIN_AND_SEQUENCE = 0xFFFF, 0xFF00FFFF
"""Of the word at `BD_WORD`: what an entry is compared with; those that do not age have no sequence number."""
_DATA = offsets(L2_TRACE, "data")[0]


@kernel
def trace(worker: int, node: int, frame: int) -> int:
    """An `L2_TRACE` with the entry of each traced frame's destination."""
    pool = rec(worker, WORKER).pool
    table = rec(rec(rec(node, NODE).data, RUNTIME).fib, L2_FIB).map
    for i in range(frame_n(frame)):
        t = begin_trace(worker, node, frame, i)
        if t != 0:
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            r = rec(t, L2_TRACE)
            r.rx = m.rx_sw_if
            r.bd_index = rec(b, L2_BUFFER).bd_index
            at = b + DATA + m.current_data
            r.result = search_8(table, (ld64(at) & MAC_MASK) | rec(b, L2_BUFFER).bd_index << 48)
            r.size = min(int(m.current_length), 24)
            copy(t + _DATA, at, r.size)
    return frame_n(frame)


@routine
def otherwise(worker: int, node: int, b: int, value: int) -> int:
    """The slot of a frame that does not just leave by another port."""
    m = rec(b, BUFFER)
    l2 = rec(b, L2_BUFFER)
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    why = E_FLOOD
    if value != NOT_THERE:
        out = interface_of(value)
        flags = flags_of(value)
        sn = (l2.sn & 0xFF00) | (ld32(r.inputs + out * L2_INPUT_SIZE + I_SEQ) if out >= 0 else 0)
        if flags & AGE_NOT or ((value >> SEQUENCE) ^ sn) & 0xFFFF == 0:
            m.tx_sw_if = out
            if out == m.rx_sw_if:
                m.error = err + E_REFLECT
                return DROP
            if flags & FILTER:
                m.error = err + E_FILTER
                return DROP
            if flags & BVI == 0:
                return L2_OUTPUT
            kind = to_bvi(worker, b, out)
            if kind == BAD_MAC or kind == BAD_TYPE:
                m.error = err + (E_BVI_BAD_MAC if kind == BAD_MAC else E_BVI_TYPE)
                return DROP
            return IP4 if kind == IP4_LE else (ARP if kind == ARP_LE else IP6)
        why = E_STALE
    if l2.feature_bitmap & (UU_FLOOD | UU_FWD):
        l2.feature_bitmap &= ~FWD
        return slot_of(d.data, l2.feature_bitmap)
    m.error = err + why
    return DROP


@kernel
def l2_fwd(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    w = rec(worker, WORKER)
    pool = w.pool
    data = rec(node, NODE).data
    r = rec(data, RUNTIME)
    table = rec(r.fib, L2_FIB).map
    inputs = r.inputs
    scratch = data + _SCRATCH
    news = r.news
    has_news = rec(news, NEWS_HEAD).count != 0 and rec(news, NEWS_HEAD).round == w.rounds
    n = frame_n(frame)
    last = -1
    value = NOT_THERE
    out = -1
    usual = False
    word = 0
    mask = 0
    first = 0
    while first < n:
        prefetch(pool + buffer_index(frame, first + 4) * CELL)
        b = pool + buffer_index(frame, first) * CELL
        m = rec(b, BUFFER)
        # most often it goes where the frame before went
        if (
            usual
            and ((ld64(b + DATA + m.current_data) ^ last) & MAC_MASK) == 0
            and ld32(b + BD_WORD) & mask == word
            and m.rx_sw_if != out
        ):
            m.tx_sw_if = out
            set_next(frame, first, L2_OUTPUT)
            first += 1
            continue
        end = min(first + CHUNK, n)
        differs = 0
        at = scratch
        for i in range(first, end):
            b = pool + buffer_index(frame, i) * CELL
            key = (ld64(b + DATA + rec(b, BUFFER).current_data) & MAC_MASK) | rec(b, L2_BUFFER).bd_index << 48
            st64(at, key)
            at += 16
            differs |= key ^ last
        if differs != 0:
            ask_for_buckets(table, scratch, end - first)
        at = scratch
        for i in range(first, end):
            prefetch(pool + buffer_index(frame, i + CHUNK) * CELL)
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            key = ld64(at)
            if key != last:
                last = key
                value = search_hashed_8(table, ld64(at + 8), key)
                out = interface_of(value)
                flags = flags_of(value)
                usual = out >= 0 and flags & (BVI | FILTER) == 0 and not has_news
                mask = DOMAIN_ONLY
                word = (key >> 48) & DOMAIN_ONLY
                if usual and flags & AGE_NOT == 0:
                    # the domain's sequence number is the packet's, the interface's is the one where it leaves
                    sequence = (value >> SEQUENCE) & 0xFFFF
                    usual = sequence & 0xFF == ld32(inputs + out * L2_INPUT_SIZE + I_SEQ)
                    mask = DOMAIN_AND_SEQUENCE
                    word |= (sequence >> 8) << 24
            at += 16
            if usual and out != m.rx_sw_if and ld32(b + BD_WORD) & mask == word:
                m.tx_sw_if = out
                set_next(frame, i, L2_OUTPUT)
            else:
                found = value
                if has_news:
                    found = before_news(news, key, m.time, m.seq, value)
                set_next(frame, i, otherwise(worker, node, b, found))
        first = end
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The table, the ports, each worker's news."""
    fib = plane.shared(L2FibTable)
    node.data["fib"] = fib.address
    node.data["inputs"] = plane.shared(L2Config).inputs_address
    node.data["news"] = fib.news_addresses
    bind_features(node, INPUT_FEATURES)


L2_FWD = NodeType(
    name="l2-fwd",
    kernel=l2_fwd,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=Trace(L2_TRACE, trace, fwd_text, before=True),
    bind=bind,
    doc=__doc__ or "",
)
