"""The fast path: packets of sessions that are there.

``nat44-ed-in2out`` and ``nat44-ed-out2in`` (arc ip4-unicast), ``nat44-ed-in2out-output`` (arc ip4-output, for what an
outside interface sends). A packet whose session is not found, or whose time is up, goes to the node's slow path.
Dropped are ICMP messages other than echo and errors ("unsupported ICMP type"), errors that quote what has no ports
("unsupported protocol"), and packets that can't be translated ("couldn't translate packet": truncated, with wrong
checksums; a session met the wrong way round ends). A TTL of 1 is answered before anything else, but not on the way out.

A vector goes through in three passes, so that memory that a later one reads is asked for by an earlier one: the flow
table's bucket, then the session's half.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, IS_NATED, length_in_chain
from vectorplane.graph_nodes.ip4_header import PROTOCOL, SOURCE, TTL
from vectorplane.graph_nodes.ip4_sv_buffer import FLAGS, INFO_WORD
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.bypass import is_bypassed
from vectorplane.graph_nodes.nat44.counters import COUNTERS, bump, count_packet
from vectorplane.graph_nodes.nat44.errors import I_BAD_ICMP_TYPE, I_FAILED, I_UNSUPPORTED, O_FAILED, O_NO_TRANSLATION
from vectorplane.graph_nodes.nat44.flow_table import find, flow_hash, guess, matches, prefetch_flow
from vectorplane.graph_nodes.nat44.match import MATCH, icmp_match, icmp_type, key_of, put_match
from vectorplane.graph_nodes.nat44.nat import NAT
from vectorplane.graph_nodes.nat44.nexts import DROP, ICMP_ERROR, IN2OUT_SLOW, OUT2IN_SLOW, OUTPUT_SLOW
from vectorplane.graph_nodes.nat44.packet import counted_interface, fib_of, header_offset, time_exceeded
from vectorplane.graph_nodes.nat44.runtime import R_COUNTERS, RUNTIME, SCRATCH, SCRATCH_SIZE
from vectorplane.graph_nodes.nat44.session import (
    COLD,
    HAIRPINNING,
    HALF,
    I2O,
    O2I,
    P_ICMP,
    P_TCP,
    P_UDP,
    TWICE_NAT,
    cold_at,
    half_at,
)
from vectorplane.graph_nodes.nat44.session_table import end_half, expired, timeout_of
from vectorplane.graph_nodes.nat44.tcp_state import brings_news, see_flags
from vectorplane.graph_nodes.nat44.translate import FLOW_MISMATCH, SUCCESS, is_icmp_error, translate
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import ld8, ld64, prefetch, rec, shr

NO_REASON, LOOKUP_FAILED, VRF_EXPIRED, SESSION_EXPIRED = range(4)
"""Why a packet from outside took the slow path; VPP's numbers."""
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
DHCP_CLIENT = 68
FOUND, UNTOUCHED, REFUSED = range(3)


@routine
def prepare_icmp(b: int, ip: int, left: int, fib: int, q: int) -> None:
    """The match of an ICMP packet, or what is wrong with it, into its scratch."""
    kind = icmp_type(b)
    if kind != _ECHO_REPLY and kind != _ECHO_REQUEST and not is_icmp_error(kind):
        rec(q, SCRATCH).error = I_BAD_ICMP_TYPE + 1
    elif not icmp_match(b, ip, left, fib, q):
        rec(q, SCRATCH).error = I_UNSUPPORTED + 1


@routine
def wrong_way(nat: int, number: int, b: int, inward: bool) -> int:
    """A session was found by the match of its other direction: between two inside hosts, or with twice-NAT, it may be.

    `FOUND`: it is; `UNTOUCHED`: the packet goes on as it is (DHCP's answers to this router); `REFUSED`.
    """
    n = rec(nat, NAT)
    flags = rec(cold_at(n.colds, number >> 1), COLD).flags
    if not inward:
        return FOUND if flags & HAIRPINNING else REFUSED
    if flags & TWICE_NAT:
        return FOUND
    half = rec(half_at(n.halves, number), HALF)
    if half.key & 0xFF == P_UDP and shr(half.key, 48) == DHCP_CLIENT << 8:
        return UNTOUCHED
    return FOUND if n.forwarding else REFUSED


@helper
def slow_slot(output: bool, inward: bool) -> int:
    """The node's slow path."""
    if inward:
        return OUT2IN_SLOW
    return OUTPUT_SLOW if output else IN2OUT_SLOW


@helper
def fast(worker: int, node: int, frame: int, output: bool, inward: bool) -> int:
    """The body of all three nodes."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    err = d.err_base
    r = rec(d.data, RUNTIME)
    nat = r.nat
    scratch = r.scratch
    adjacencies = r.adjacencies
    counters = d.data + R_COUNTERS
    vectors = rec(counters, COUNTERS)
    halves = rec(nat, NAT).halves
    mss = rec(nat, NAT).mss
    forwarding = rec(nat, NAT).forwarding
    direction = O2I if inward else I2O
    n = frame_n(frame)
    last = -1
    fib = 0

    for i in range(n):
        ahead = pool + buffer_index(frame, i + 4) * CELL
        prefetch(ahead)
        prefetch(ahead + DATA)
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        q = scratch + i * SCRATCH_SIZE
        if m.rx_sw_if != last:
            last = m.rx_sw_if
            fib = fib_of(worker, last)
        l3 = header_offset(b, adjacencies, output)
        ip = b + DATA + m.current_data + l3
        proto = ld8(ip + PROTOCOL)
        rec(q, SCRATCH).error = 0
        if proto == P_ICMP:
            prepare_icmp(b, ip, m.current_length - l3, fib, q)
            h = flow_hash(nat, rec(q, MATCH).addresses, rec(q, MATCH).key)
        else:
            addresses = ld64(ip + SOURCE)
            key = key_of(ld64(b + INFO_WORD) & 0xFFFFFFFF, fib, proto)
            put_match(q, addresses, key)
            h = flow_hash(nat, addresses, key)
        rec(q, SCRATCH).hash = h
        prefetch_flow(nat, h)

    for i in range(n):
        q = scratch + i * SCRATCH_SIZE
        number = guess(nat, rec(q, SCRATCH).hash)
        rec(q, SCRATCH).number = number
        if number >= 0:
            prefetch(half_at(halves, number))

    n_tcp = 0
    n_udp = 0
    counted = -1
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        q = scratch + i * SCRATCH_SIZE
        s = rec(q, SCRATCH)
        l3 = header_offset(b, adjacencies, output)
        ip = b + DATA + m.current_data + l3
        slot = rec(b, NAT_BUFFER).arc_next
        s.outcome = SUCCESS
        s.reason = NO_REASON
        proto = ld8(ip + PROTOCOL)
        if not output and ld8(ip + TTL) == 1:
            time_exceeded(b, r.expired_error)
            s.number = -1
            set_next(frame, i, ICMP_ERROR)
            continue
        if output and forwarding != 0 and is_bypassed(nat, b, ip, m.current_length - l3, q):
            s.number = -1
            set_next(frame, i, slot)
            continue
        sw_if = counted_interface(b, output)
        if s.error != 0:
            m.error = err + s.error - 1
            s.number = -1
            bump(vectors.drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        number = s.number
        addresses = rec(q, MATCH).addresses
        key = rec(q, MATCH).key
        if number < 0 or not matches(nat, number, addresses, key):
            number = find(nat, addresses, key)
            s.number = number
            if number < 0:
                s.reason = LOOKUP_FAILED
                set_next(frame, i, slow_slot(output, inward))
                continue
        half = half_at(halves, number)
        f = rec(half, HALF)
        if m.time - f.active >= timeout_of(nat, f.kind) and expired(nat, number, m.time):
            end_half(nat, number, addresses, key, m.time)
            s.number = -1
            s.reason = SESSION_EXPIRED
            set_next(frame, i, slow_slot(output, inward))
            continue
        if not inward:
            m.flags |= IS_NATED
        if (number & 1) != direction:
            way = wrong_way(nat, number, b, inward)
            if way == UNTOUCHED:
                set_next(frame, i, slot)
                continue
            if way == REFUSED:
                s.outcome = FLOW_MISMATCH
                m.error = err + (O_NO_TRANSLATION if inward else I_FAILED)
                if not inward:
                    end_half(nat, number, addresses, key, m.time)
                    s.number = -1
                    s.outcome = FLOW_MISMATCH
                bump(vectors.drops, sw_if, 1)
                set_next(frame, i, DROP)
                continue
        outcome = translate(b, ip, m.current_length - l3, half, proto, mss, output, inward)
        if outcome != SUCCESS:
            s.outcome = outcome
            m.error = err + (O_FAILED if inward else I_FAILED)
            if not inward:
                end_half(nat, number, addresses, key, m.time)
                s.number = -1
            bump(vectors.drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        if sw_if != counted:
            if counted >= 0:
                bump(vectors.tcp, counted, n_tcp)
                bump(vectors.udp, counted, n_udp)
                n_tcp = 0
                n_udp = 0
            counted = sw_if
        if proto == P_TCP:
            n_tcp += 1
            mine = half_at(halves, (number & -2) | direction)
            flags = shr(ld64(b + INFO_WORD), FLAGS) & 0xFF
            if brings_news(mine, flags):
                see_flags(nat, (number & -2) | direction, flags, m.time)
        elif proto == P_UDP:
            n_udp += 1
        else:
            count_packet(counters, sw_if, proto)
        f.active = m.time
        f.packets += 1
        f.bytes += length_in_chain(b)
        set_next(frame, i, slot)
    if counted >= 0:
        bump(vectors.tcp, counted, n_tcp)
        bump(vectors.udp, counted, n_udp)
    return n


@kernel
def in2out(worker: int, node: int, frame: int) -> int:
    """From inside."""
    return fast(worker, node, frame, False, False)


@kernel
def in2out_output(worker: int, node: int, frame: int) -> int:
    """Out of an interface whose output feature NAT is."""
    return fast(worker, node, frame, True, False)


@kernel
def out2in(worker: int, node: int, frame: int) -> int:
    """From outside."""
    return fast(worker, node, frame, False, True)
