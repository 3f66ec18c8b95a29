"""The ACL nodes: each packet meets its session, or the rules of its interface.

``acl-plugin-in-ip4-fa`` on arc ip4-unicast and ``acl-plugin-out-ip4-fa`` on arc ip4-output (routed packets; what goes
out is looked at behind the header that was put in front), ``acl-plugin-in-ip4-l2`` and ``-out-ip4-l2`` on the arcs of
bridged frames, and the same four for IPv6 (`-out-ip6-fa` would have nothing to do: IPv6 is not forwarded).

A packet of a session ("existing session packets") goes on. Else the first rule that it meets in the lists of its
interface and direction says: deny, permit ("ACL permit packets") or permit and make a session ("new sessions added"),
which lets through what comes back in the other direction of this interface. No rule: deny. Denied packets are dropped
("ACL deny packets"), so are those whose session can't be made ("too many sessions to add new").

Sessions: `vectorplane.graph_nodes.acl.session_table`; rules: `vectorplane.graph_nodes.acl.rule_match`. A vector goes
through in three passes, so that memory that a later one reads is asked for by an earlier one.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain
from vectorplane.dataplane.feature import Feature, feature_next
from vectorplane.dataplane.node import NodeType
from vectorplane.dataplane.tables.hash_map import (
    hash_16,
    hash_40,
    prefetch_bucket,
    search_hashed_16,
    search_hashed_40,
)
from vectorplane.graph_nodes.acl.five_tuple import (
    IS_INPUT,
    NONFIRST,
    S_ADDRESSES,
    S_L4,
    SCRATCH,
    SCRATCH_SIZE,
    TCP_VALID,
    fill4,
    fill6,
)
from vectorplane.graph_nodes.acl.rule_match import (
    MATCHER,
    RULE,
    fragment_match,
    linear_match4,
    match6,
)
from vectorplane.graph_nodes.acl.runtime import RUNTIME, bind
from vectorplane.graph_nodes.acl.session_cache import WITHOUT, cache_hash, remember, remembered
from vectorplane.graph_nodes.acl.session_key import address_key, session_key, way_of, ways_made
from vectorplane.graph_nodes.acl.session_table import (
    IP4,
    KEYS6_SIZE,
    MAX_INTERFACES,
    SESSION,
    SESSION_SIZE,
    T_KNOWN,
    T_TIMEOUTS,
    TABLE,
    change_kind,
    end_if,
    make4,
    make6,
)
from vectorplane.graph_nodes.acl.tables import SWITCHES
from vectorplane.graph_nodes.acl.trace import FOUND, TRACE
from vectorplane.graph_nodes.acl.verdict_cache import cached_match4, prefetch_verdict
from vectorplane.graph_nodes.drop import count
from vectorplane.graph_nodes.forwarding import ADJ_SIZE, ADJACENCY
from vectorplane.graph_nodes.l2.buffer import L2_BUFFER
from vectorplane.graph_nodes.named_by_text import named_by_text
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld32s, ld64, prefetch, rec, st64

NEXTS = ("error-drop",)
DROP = 0
ERRORS = named_by_text(
    "ACL deny packets",
    "ACL permit packets",
    "new sessions added",
    "existing session packets",
    "checked packets",
    "restart session timer",
    "too many sessions to add new",
)
E_DENY, E_PERMIT, E_NEW, E_EXISTING, E_CHECKED, E_RESTART, E_TOO_MANY = range(7)

DENIED, PERMITTED, REFLECTED, BY_SESSION = 0, 1, 2, 3
"""What became of a packet (VPP's actions; 3: its session was there)."""
STALE_BIT, RESTART_BIT = 0x40000000, 0x00010000


@helper
def _l3_offset(b: int, is_input: int, is_l2: int, adjacencies: int) -> int:
    """Bytes in front of the IP header."""
    if is_l2:
        return int(rec(b, L2_BUFFER).l2_len)
    if is_input:
        return 0
    return int(rec(adjacencies + rec(b, BUFFER).adj * ADJ_SIZE, ADJACENCY).rewrite_length)


@helper
def _outside6(ip: int, direction: int) -> int:
    """Where in an IPv6 header the address is that a session's key has first (`session_key`)."""
    return ip + 8 if direction else ip + 24


@helper
def _inside6(ip: int, direction: int) -> int:
    """Where its second address is."""
    return ip + 24 if direction else ip + 8


@helper
def _has_key(s: int, ip6: bool) -> bool:
    """Can the packet have a session? One with less than an IPv6 header can't."""
    return not ip6 or ld64(s + S_ADDRESSES) != 0


@helper
def _hash(table: int, s: int, direction: int, ip6: bool) -> int:
    """The hash of the session's key of the packet whose scratch is at ``s``."""
    t = rec(table, TABLE)
    key = rec(s, SCRATCH).key
    a = ld64(s + S_ADDRESSES)
    if ip6:
        x = _outside6(a, direction)
        y = _inside6(a, direction)
        return hash_40(t.map6, ld64(x), ld64(x + 8), ld64(y), ld64(y + 8), key)
    return hash_16(t.map4, address_key(a, direction), key)


@helper
def _search(table: int, s: int, h: int, direction: int, ip6: bool) -> int:
    """The session of the packet whose scratch is at ``s``; -1."""
    t = rec(table, TABLE)
    key = rec(s, SCRATCH).key
    a = ld64(s + S_ADDRESSES)
    if ip6:
        x = _outside6(a, direction)
        y = _inside6(a, direction)
        return search_hashed_40(t.map6, h, ld64(x), ld64(x + 8), ld64(y), ld64(y + 8), key)
    return search_hashed_16(t.map4, h, address_key(a, direction), key)


@routine
def search_again(table: int, s: int, direction: int, ip6: bool) -> int:
    """A session was made since this vector's packets were looked up."""
    rec(s, SCRATCH).key = session_key(ld64(s + S_L4), ip6)
    return _search(table, s, _hash(table, s, direction, ip6), direction, ip6)


@helper
def _same(table: int, index: int, s: int, direction: int, ip6: bool) -> bool:
    """Is the record still that of the packet's session?"""
    r = rec(rec(table, TABLE).sessions + index * SESSION_SIZE, SESSION)
    if r.key != rec(s, SCRATCH).key:
        return False
    a = ld64(s + S_ADDRESSES)
    if ip6:
        x = _outside6(a, direction)
        y = _inside6(a, direction)
        k = rec(table, TABLE).keys6 + index * KEYS6_SIZE
        difference = (ld64(k) ^ ld64(x)) | (ld64(k + 8) ^ ld64(x + 8))
        return (difference | (ld64(k + 16) ^ ld64(y)) | (ld64(k + 24) ^ ld64(y + 8))) == 0
    return r.addresses == address_key(a, direction) and r.state == IP4


@routine
def policy_changed(table: int, record: int, sw_if: int, is_input: int) -> bool:
    """Was the session made under another policy of this direction?"""
    s = rec(record, SESSION)
    epoch = ld32s(rec(table, TABLE).epochs + 4 * (is_input * MAX_INTERFACES + sw_if))
    return s.is_input == is_input and s.epoch != epoch


@routine
def see_flags(worker: int, table: int, s: int, index: int, is_input: int, now: int, error: int) -> None:
    """A TCP packet brings flags that its session has not seen: its timeout may change."""
    r = rec(rec(table, TABLE).sessions + index * SESSION_SIZE, SESSION)
    r.flags_seen |= (rec(s, SCRATCH).info & 0xFF) << (8 if is_input else 0)
    changed = change_kind(table, index, rec(s, SCRATCH).key, now)
    if changed != 0:
        rec(s, SCRATCH).bits |= RESTART_BIT | changed
        count(worker, error, 1)


@helper
def _has_session(
    worker: int, table: int, s: int, index: int, sw_if: int, is_input: int, now: int, error: int, ip6: bool
) -> bool:
    """Does the packet's session ``index`` let it through? It is refreshed then, and ended when its time is up."""
    t = rec(table, TABLE)
    record = t.sessions + index * SESSION_SIZE
    r = rec(record, SESSION)
    if (r.ways & way_of(ld64(s + S_L4), ip6)) == 0:
        return False
    if now - r.active >= ld64(table + T_TIMEOUTS + 8 * r.list):
        end_if(table, index, r.key, 0)
        return False
    r.active = now
    info = rec(s, SCRATCH).info
    if info & TCP_VALID:
        flags = (info & 0xFF) << (8 if is_input else 0)
        if flags & ~r.flags_seen:
            see_flags(worker, table, s, index, is_input, now, error)
    rec(s, SCRATCH).bits |= -FOUND
    if t.reclassify and policy_changed(table, record, sw_if, is_input):
        rec(s, SCRATCH).bits |= STALE_BIT
        end_if(table, index, r.key, 1)
        rec(s, SCRATCH).session = -1
        return False
    return True


@helper
def _match(matcher: int, verdicts: int, s: int, ip6: bool) -> int:
    """The first rule that the packet meets; 0."""
    if matcher == 0:
        return 0
    if ip6:
        return match6(matcher, s)
    info = rec(s, SCRATCH).info
    t = rec(matcher, MATCHER)
    if info & NONFIRST:
        r = fragment_match(matcher, s, False)
        if r != 0 and rec(r, RULE).protocol != 0:
            rec(s, SCRATCH).bits |= -FOUND
        return r
    if t.n_tuples == 0:
        return linear_match4(matcher, ld64(s + S_ADDRESSES), ld64(s + S_L4), info)
    return cached_match4(verdicts, matcher, ld64(s + S_ADDRESSES), ld64(s + S_L4), info)


@routine
def count_match(worker: int, counters: int, r: int, b: int) -> None:
    """/acl/N/matches."""
    c = ld64(counters + 8 * rec(r, RULE).acl)
    if c != 0:
        c += 16 * rec(r, RULE).rule
        st64(c, ld64(c) + 1)
        st64(c + 8, ld64(c + 8) + length_in_chain(b))


@routine
def reflect(worker: int, table: int, s: int, sw_if: int, is_input: int, now: int, error: int, ip6: bool) -> int:
    """Make the packet's session; gives its number, -1: too many."""
    l4 = ld64(s + S_L4)
    a = ld64(s + S_ADDRESSES)
    key = session_key(l4, ip6)
    rec(s, SCRATCH).key = key
    if ip6:
        if a == 0:
            return -1
        index = make6(worker, table, sw_if, is_input, a + 8, key, ways_made(l4, ip6), now)
    else:
        index = make4(worker, table, sw_if, is_input, address_key(a, is_input), key, ways_made(l4, ip6), now)
    if index >= 0 and rec(s, SCRATCH).info & TCP_VALID:
        see_flags(worker, table, s, index, is_input, now, error)
    return index


@helper
def acl(worker: int, node: int, frame: int, ip6: bool) -> int:
    """The body of all nodes."""
    w = rec(worker, WORKER)
    pool = w.pool
    d = rec(node, NODE)
    err = d.err_base
    runtime = rec(d.data, RUNTIME)
    is_input = runtime.is_input
    is_l2 = runtime.is_l2
    arc = runtime.arc
    matchers = runtime.matchers
    table = runtime.sessions
    scratch = runtime.scratch
    verdicts = runtime.verdicts
    cache = runtime.remembered
    adjacencies = runtime.adjacencies
    count_matches = rec(runtime.switches, SWITCHES).count_matches
    hits_worker = w.index
    direction = IS_INPUT if is_input else 0
    live = rec(table, TABLE).live
    n = frame_n(frame)
    unknown = 0
    use_cache = not ip6 and runtime.without == 0
    if runtime.without > 0:
        runtime.without -= 1

    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        s = scratch + i * SCRATCH_SIZE
        l3 = _l3_offset(b, is_input, is_l2, adjacencies)
        sw_if = m.rx_sw_if if is_input else m.tx_sw_if
        ip = b + DATA + m.current_data + l3
        if ip6:
            fill6(s, ip, m.current_length - l3, sw_if, direction, table + T_KNOWN)
        else:
            fill4(s, ip, m.current_length - l3, sw_if, direction)
        rec(s, SCRATCH).session = -1
        rec(s, SCRATCH).bits = 0
        rec(s, SCRATCH).hash = 0
        if live > 0:
            if _has_key(s, ip6):
                key = session_key(ld64(s + S_L4), ip6)
                rec(s, SCRATCH).key = key
                index = -1
                if use_cache:
                    index = remembered(cache, cache_hash(address_key(ld64(s + S_ADDRESSES), is_input), key))
                if index >= 0:
                    rec(s, SCRATCH).session = index
                    prefetch(rec(table, TABLE).sessions + index * SESSION_SIZE)
                else:
                    h = _hash(table, s, is_input, ip6)
                    rec(s, SCRATCH).hash = h
                    prefetch_bucket(rec(table, TABLE).map6 if ip6 else rec(table, TABLE).map4, h)
                    unknown += 1
        elif not ip6:
            matcher = ld64(matchers + 8 * sw_if)
            if matcher != 0 and rec(matcher, MATCHER).n_tuples > 0:
                prefetch_verdict(verdicts, matcher, ld64(s + S_ADDRESSES), ld64(s + S_L4))

    if unknown > 0:
        for i in range(n):
            s = scratch + i * SCRATCH_SIZE
            if rec(s, SCRATCH).session < 0 and _has_key(s, ip6):
                index = _search(table, s, rec(s, SCRATCH).hash, is_input, ip6)
                rec(s, SCRATCH).session = index
                if index >= 0:
                    if use_cache:
                        key = rec(s, SCRATCH).key
                        remember(cache, cache_hash(address_key(ld64(s + S_ADDRESSES), is_input), key), index)
                    prefetch(rec(table, TABLE).sessions + index * SESSION_SIZE)

    if use_cache and 2 * unknown > n:
        runtime.without = WITHOUT
    permitted = 0
    existing = 0
    made = 0
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        s = scratch + i * SCRATCH_SIZE
        q = rec(s, SCRATCH)
        sw_if = m.rx_sw_if if is_input else m.tx_sw_if
        index = q.session
        if index < 0 and made > 0 and _has_key(s, ip6):
            index = search_again(table, s, is_input, ip6)
            q.session = index
        if index >= 0 and not _same(table, index, s, is_input, ip6):
            index = search_again(table, s, is_input, ip6)
            q.session = index
            if index >= 0 and not _same(table, index, s, is_input, ip6):
                index = -1
        if index >= 0 and _has_session(worker, table, s, index, sw_if, is_input, m.time, err + E_RESTART, ip6):
            existing += 1
            q.action = BY_SESSION
            set_next(frame, i, feature_next(arc, b))
            continue
        matcher = ld64(matchers + 8 * sw_if)
        r = _match(matcher, verdicts, s, ip6)
        q.hash = r
        action = DENIED
        denial = err + E_DENY
        if r != 0:
            action = rec(r, RULE).action
            t = rec(matcher, MATCHER)
            at = t.hits + hits_worker * t.hits_size + 8 * rec(r, RULE).applied
            st64(at, ld64(at) + 1)
            if count_matches:
                count_match(worker, runtime.counters, r, b)
        if action == REFLECTED:
            index = reflect(worker, table, s, sw_if, is_input, m.time, err + E_RESTART, ip6)
            if index < 0:
                action = DENIED
                denial = err + E_TOO_MANY
            else:
                made += 1
        q.action = action
        if action == DENIED:
            m.error = denial
            set_next(frame, i, DROP)
        else:
            if action == PERMITTED:
                permitted += 1
            set_next(frame, i, feature_next(arc, b))
    count(worker, err + E_CHECKED, n)
    count(worker, err + E_EXISTING, existing)
    count(worker, err + E_NEW, made)
    count(worker, err + E_PERMIT, permitted)
    return n


@kernel
def acl_ip4(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    return acl(worker, node, frame, False)


@kernel
def acl_ip6(worker: int, node: int, frame: int) -> int:
    """The same for IPv6."""
    return acl(worker, node, frame, True)


def _node(direction: str, family: str, path: str, feature: Feature) -> NodeType:
    return NodeType(
        name=f"acl-plugin-{direction}-{family}-{path}",
        kernel=acl_ip6 if family == "ip6" else acl_ip4,
        nexts=NEXTS,
        errors=ERRORS,
        runtime=RUNTIME,
        trace=TRACE,
        bind=bind,
        features=(feature,),
        doc=__doc__ or "",
    )


ACL_IN_IP4_FA = _node("in", "ip4", "fa", Feature("ip4-unicast", before=("ip4-lookup", "ip4-flow-classify")))
ACL_OUT_IP4_FA = _node("out", "ip4", "fa", Feature("ip4-output", before=("ip4-dvr-reinject", "interface-output")))
ACL_IN_IP6_FA = _node("in", "ip6", "fa", Feature("ip6-unicast", before=("ip6-lookup", "ip6-flow-classify")))
ACL_IN_IP4_L2 = _node("in", "ip4", "l2", Feature("l2-input-ip4", before=("l2-input-feat-arc-end",)))
ACL_IN_IP6_L2 = _node("in", "ip6", "l2", Feature("l2-input-ip6", before=("l2-input-feat-arc-end",)))
ACL_OUT_IP4_L2 = _node("out", "ip4", "l2", Feature("l2-output-ip4", before=("l2-output-feat-arc-end",)))
ACL_OUT_IP6_L2 = _node("out", "ip6", "l2", Feature("l2-output-ip6", before=("l2-output-feat-arc-end",)))
