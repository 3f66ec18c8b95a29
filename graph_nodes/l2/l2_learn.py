"""l2-learn: the bridge domain's MAC table learns where the frame's source address is.

* A new address is entered, up to the limits of the engine and of the domain ("L2 not learned due to limit"; the frame
  is forwarded all the same). Address 0 is not learnt.
* One that is there on this interface is brought up to date when its minute or sequence number is old.
* One that was learnt elsewhere has moved ("L2 mac moves"); so has one that was provisioned, unless it is static: then
  the frame is dropped ("L2 mac move violations"). Of a filtered address too: "L2 filter mac drops".

As in VPP at most three entries a vector are brought up to date for the minute alone, so that a minute's turn does not
cost a burst; but not in virtual time, where ageing must not depend on how frames fall into vectors. The table and the
news for `l2-fwd`: `vectorplane.graph_nodes.l2.fib`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from vectorplane.dataplane.abi import NODE, VIRTUAL, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA
from vectorplane.dataplane.event import post
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.hash_map import FULL, hash_8, insert_8, search_hashed_8
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.event_kinds import L2_FIB_GROWS
from vectorplane.graph_nodes.l2.buffer import BD_WORD, L2_BUFFER
from vectorplane.graph_nodes.l2.config import BRIDGE_DOMAIN, D_LEARN_COUNT, DOMAIN_SIZE, L2Config
from vectorplane.graph_nodes.l2.features import INPUT_FEATURES, LEARN, NEXT_BY_BIT, bind_features, slot_of
from vectorplane.graph_nodes.l2.fib import (
    AGE_NOT,
    CHUNK,
    F_LEARN_COUNT,
    FILTER,
    FLAGS,
    L2_FIB,
    LEARN_EVENT,
    LEARN_MOVE,
    MAC_MASK,
    MOST_NEWS,
    NEWS,
    NEWS_HEAD,
    NEWS_SIZE,
    NOT_THERE,
    STATIC,
    L2FibTable,
    ask_for_buckets,
    entry,
    flags_of,
    interface_of,
    sequence_of,
)
from vectorplane.graph_nodes.l2.trace import LEARN_TRACE
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import fetch_add, ld32, ld64, offsets, prefetch, rec, st64

if TYPE_CHECKING:
    from vectorplane.dataplane.graph import Node
    from vectorplane.dataplane.plane import Dataplane

NEXTS = ("l2-fwd", "error-drop")
L2_FWD, DROP = range(2)
ERRORS = named_by_text(
    "L2 learn packets",
    "L2 learn misses",
    "L2 mac moves",
    "L2 mac move violations",
    "L2 not learned due to limit",
    "L2 learn hit updates",
    "L2 filter mac drops",
)
E_LEARN, E_MISS, E_MOVE, E_VIOLATION, E_LIMIT, E_UPDATE, E_FILTER = range(7)

RUNTIME = np.dtype(
    [
        NEXT_BY_BIT,
        ("fib", "i8"),
        ("domains", "i8"),
        ("news", "i8"),
        ("updates", "i8"),  # entries brought up to date in this vector
        ("scratch", "i8", (2 * CHUNK,)),  # keys and hashes of a chunk
    ],
    align=True,
)
_SCRATCH = offsets(RUNTIME, "scratch")[0]
NS_PER_MINUTE = 60_000_000_000
GO_ON, DROP_IT = 0, 1


@routine
def note(worker: int, news: int, key: int, before: int, b: int) -> None:
    """Virtual time: tell l2-fwd of a change, for the frames that came before it."""
    w = rec(worker, WORKER)
    head = rec(news, NEWS_HEAD)
    if head.round != w.rounds:
        head.round = w.rounds
        head.count = 0
    if head.count < MOST_NEWS:
        r = rec(news + 16 + head.count * NEWS_SIZE, NEWS)
        r.key = key
        r.before = before
        r.time = rec(b, BUFFER).time
        r.seq = rec(b, BUFFER).seq
        head.count += 1


@routine
def learn(worker: int, node: int, b: int, key: int, value: int, minute: int) -> int:
    """The entry of a frame's source is missing, old, or another interface's; gives `GO_ON` or `DROP_IT`."""
    m = rec(b, BUFFER)
    l2 = rec(b, L2_BUFFER)
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    fib = rec(r.fib, L2_FIB)
    domain = r.domains + l2.bd_index * DOMAIN_SIZE
    bd = rec(domain, BRIDGE_DOMAIN)
    sn = l2.sn & 0xFFFF
    flags = 0
    learnt = 0
    marks = LEARN_EVENT if fib.watched else 0
    if value == NOT_THERE:
        count(worker, err + E_MISS, 1)
        if fib.learn_count >= fib.learn_limit or bd.learn_count >= bd.learn_limit:
            count(worker, err + E_LIMIT, 1)
            return GO_ON
        if key & MAC_MASK == 0:
            return GO_ON
        learnt = 1
        flags = marks
    else:
        flags = (value >> FLAGS) & 0xFF
        if interface_of(value) == m.rx_sw_if:
            behind = (minute - (value >> 40)) & 0xFF
            changed = ((value >> 48) ^ sn) & 0xFFFF
            if flags & AGE_NOT or ((behind == 0 or l2.age == 0) and changed == 0):
                return GO_ON
            if fib.learn_count > fib.learn_limit or bd.learn_count > bd.learn_limit:
                return GO_ON
            if r.updates > 2 and behind == 1 and changed == 0 and rec(worker, WORKER).clock != VIRTUAL:
                return GO_ON
            r.updates += 1
            count(worker, err + E_UPDATE, 1)
        else:
            if flags & (FILTER | STATIC):
                m.error = err + (E_FILTER if flags & FILTER else E_VIOLATION)
                return DROP_IT
            if flags & AGE_NOT:
                learnt = 1
                flags &= ~AGE_NOT
            flags = (flags & ~(LEARN_EVENT | LEARN_MOVE)) | (marks | LEARN_MOVE if marks else 0)
            count(worker, err + E_MOVE, 1)
    if insert_8(fib.map, key, entry(m.rx_sw_if, flags, minute, sn)) == FULL:
        count(worker, err + E_LIMIT, 1)
        learnt = 0
    elif rec(worker, WORKER).clock == VIRTUAL:
        note(worker, r.news, key, value, b)
    if learnt:
        fetch_add(r.fib + F_LEARN_COUNT, 1)
        fetch_add(domain + D_LEARN_COUNT, 1)
    if fib.learn_count >= fib.grow_at and fib.grow_asked == 0:
        fib.grow_asked = post(worker, L2_FIB_GROWS, m.rx_sw_if, m.time, 0, 0, 0)
    return GO_ON


@kernel
def l2_learn(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    data = d.data
    r = rec(data, RUNTIME)
    fib = rec(r.fib, L2_FIB)
    table = fib.map
    scratch = data + _SCRATCH
    r.updates = 0
    n = frame_n(frame)
    last = -1
    value = NOT_THERE
    bits = -1
    slot = 0
    minute = 0
    minute_begins = 0
    # of the frame before, when its entry was up to date: another one like it has nothing to learn either
    settled = False
    word = 0
    rx = 0
    first = 0
    while first < n:
        ahead = pool + buffer_index(frame, first + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, first) * CELL
        m = rec(b, BUFFER)
        if (
            settled
            and ((ld64(b + DATA + m.current_data + 6) ^ last) & MAC_MASK) == 0
            and ld32(b + BD_WORD) == word
            and m.rx_sw_if == rx
            and m.time >= minute_begins
            and m.time < minute_begins + NS_PER_MINUTE
        ):
            left = rec(b, L2_BUFFER).feature_bitmap & ~LEARN
            rec(b, L2_BUFFER).feature_bitmap = left
            if left != bits:
                bits = left
                slot = slot_of(data, bits)
            set_next(frame, first, slot)
            first += 1
            continue
        end = min(first + CHUNK, n)
        differs = 0
        at = scratch
        for i in range(first, end):
            b = pool + buffer_index(frame, i) * CELL
            key = (ld64(b + DATA + rec(b, BUFFER).current_data + 6) & MAC_MASK) | rec(b, L2_BUFFER).bd_index << 48
            st64(at, key)
            at += 16
            differs |= key ^ last
        if differs != 0:
            ask_for_buckets(table, scratch, end - first)
        at = scratch
        for i in range(first, end):
            ahead = pool + buffer_index(frame, i + CHUNK) * CELL
            prefetch(ahead)
            prefetch(ahead + DATA)
            b = pool + buffer_index(frame, i) * CELL
            m = rec(b, BUFFER)
            key = ld64(at)
            if key != last:
                last = key
                h = ld64(at + 8)
                if differs == 0:  # the entry that all were to have has just been changed
                    h = hash_8(table, key)
                value = search_hashed_8(table, h, key)
            at += 16
            left = rec(b, L2_BUFFER).feature_bitmap & ~LEARN
            rec(b, L2_BUFFER).feature_bitmap = left
            if left != bits:
                bits = left
                slot = slot_of(data, bits)
            set_next(frame, i, slot)
            if m.time >= minute_begins + NS_PER_MINUTE or m.time < minute_begins:
                minute_begins = m.time // NS_PER_MINUTE * NS_PER_MINUTE
                minute = (m.time // NS_PER_MINUTE) & 0xFF
            word = ld32(b + BD_WORD)
            rx = m.rx_sw_if
            age = rec(b, L2_BUFFER).age
            fresh = ((word >> 16) << 8) | (minute if age != 0 else sequence_of(value) & 0xFF)
            settled = interface_of(value) == rx and (sequence_of(value) == fresh or flags_of(value) & AGE_NOT != 0)
            if not settled:
                if learn(worker, node, b, key, value, minute) == DROP_IT:
                    set_next(frame, i, DROP)
                last = -1
        first = end
    count(worker, d.err_base + E_LEARN, n)
    return n


def bind(plane: Dataplane, node: Node) -> None:
    """The table, the domains, each worker's news."""
    fib = plane.shared(L2FibTable)
    node.data["fib"] = fib.address
    node.data["domains"] = plane.shared(L2Config).domains_address
    node.data["news"] = fib.news_addresses
    bind_features(node, INPUT_FEATURES)


L2_LEARN = NodeType(
    name="l2-learn",
    kernel=l2_learn,
    nexts=NEXTS,
    errors=ERRORS,
    runtime=RUNTIME,
    trace=LEARN_TRACE,
    bind=bind,
    doc=__doc__ or "",
)
