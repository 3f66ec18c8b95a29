"""The slow path from outside: packets without a session. Only static mappings let them in.

Without one a packet is dropped ("no translation"), in forwarding mode it goes on as it is, or, if it belongs to a
session from inside, to the node for those. ICMP may make a session as an echo reply, as an echo request only by a
mapping without ports ("unsupported ICMP type").
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, length_in_chain, lock, unlock
from vectorplane.graph_nodes.ip4_header import DESTINATION, PROTOCOL, SOURCE, TTL
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.bypass import make_bypass
from vectorplane.graph_nodes.nat44.counters import COUNTERS, bump, count_packet
from vectorplane.graph_nodes.nat44.errors import O_BAD_ICMP_TYPE, O_FAILED, O_NO_TRANSLATION, O_NON_SYN, O_UNSUPPORTED
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.make_in2out import UNTOUCHED, begins_connection, reason, refused
from vectorplane.graph_nodes.nat44.make_out2in import make_out2in, make_unknown_out2in
from vectorplane.graph_nodes.nat44.mappings import match_external
from vectorplane.graph_nodes.nat44.match import MATCH, icmp_match, icmp_type, key_of, put_match
from vectorplane.graph_nodes.nat44.nat import MAPPING, N_LOCK, NAT, SM_ADDR_ONLY, SM_IDENTITY
from vectorplane.graph_nodes.nat44.nexts import DROP, ICMP_ERROR, IN2OUT
from vectorplane.graph_nodes.nat44.packet import fib_of, time_exceeded
from vectorplane.graph_nodes.nat44.reach import is_interface_address
from vectorplane.graph_nodes.nat44.runtime import R_COUNTERS, R_MATCH, RUNTIME, SCRATCH, SCRATCH_SIZE
from vectorplane.graph_nodes.nat44.session import HALF, O2I, P_ICMP, P_TCP, P_UDP, half_at, is_unknown
from vectorplane.graph_nodes.nat44.session_table import end_half
from vectorplane.graph_nodes.nat44.slow_in2out import icmp_sum_is_right
from vectorplane.graph_nodes.nat44.tcp_state import brings_news, see_flags
from vectorplane.graph_nodes.nat44.translate import SUCCESS, translate
from vectorplane.jit.kernel import kernel, routine
from vectorplane.jit.ops import ld8, ld32, ld64, rec, shr

_DHCP_CLIENT = 68 << 8
_ECHO_REPLY, _ECHO_REQUEST = 0, 8
FROM_INSIDE = -1 << 20
"""The packet belongs to a session from inside."""


@routine
def pass_forward(worker: int, node: int, b: int, ip: int, ports: int) -> int:
    """Forwarding mode and no mapping: `FROM_INSIDE` or `UNTOUCHED`."""
    nat = rec(rec(node, NODE).data, RUNTIME).nat
    m = rec(b, BUFFER)
    fib = fib_of(worker, m.rx_sw_if)
    proto = ld8(ip + PROTOCOL)
    if find(nat, ld64(ip + SOURCE), key_of(ports, fib, proto)) >= 0:
        return FROM_INSIDE
    lock(nat + N_LOCK)
    number = make_bypass(worker, nat, b, ip, m.current_length, fib, rec(node, NODE).data + R_MATCH)
    unlock(nat + N_LOCK)
    if number >= 0 and proto == P_TCP:
        half = half_at(rec(nat, NAT).halves, number)
        if brings_news(half, icmp_type(b)):
            see_flags(nat, number, icmp_type(b), m.time)
    return UNTOUCHED


@routine
def icmp_session(worker: int, node: int, b: int, ip: int, fib: int, q: int) -> int:
    """The half of a new session of an ICMP packet; else `UNTOUCHED`, `FROM_INSIDE` or `refused`."""
    nat = rec(rec(node, NODE).data, RUNTIME).nat
    n = rec(nat, NAT)
    m = rec(b, BUFFER)
    if not icmp_match(b, ip, m.current_length, fib, q):
        return refused(O_UNSUPPORTED)
    match = rec(q, MATCH)
    number = find(nat, match.addresses, match.key)
    if number >= 0:  # one before it in its vector made a session
        return (number & -2) | O2I
    ports = shr(match.key, 32)
    destination = ld32(ip + DESTINATION)
    mapping = match_external(nat, destination, ports & 0xFFFF, P_ICMP)
    if mapping == 0:
        if n.forwarding:
            return pass_forward(worker, node, b, ip, ports)
        return UNTOUCHED if is_interface_address(nat, m.rx_sw_if, destination) else refused(O_NO_TRANSLATION)
    flags = rec(mapping, MAPPING).flags
    kind = icmp_type(b)
    if kind != _ECHO_REPLY and (kind != _ECHO_REQUEST or flags & SM_ADDR_ONLY == 0):
        return refused(O_BAD_ICMP_TYPE)
    if flags & SM_IDENTITY:
        return UNTOUCHED
    lock(nat + N_LOCK)
    number = make_out2in(worker, nat, mapping, ld64(ip + SOURCE), ports, P_ICMP, fib, m.time, True)
    unlock(nat + N_LOCK)
    if number >= 0 and not icmp_sum_is_right(worker, b, ip, 0):
        half = rec(half_at(n.halves, number), HALF)
        end_half(nat, number, half.addresses, half.key, m.time)
        return refused(O_FAILED)
    return number


@routine
def session_for(worker: int, node: int, b: int, ip: int, q: int) -> int:
    """The half for packets from outside of a packet's session; else `UNTOUCHED`, `FROM_INSIDE` or `refused`."""
    nat = rec(rec(node, NODE).data, RUNTIME).nat
    n = rec(nat, NAT)
    m = rec(b, BUFFER)
    fib = fib_of(worker, m.rx_sw_if)
    proto = ld8(ip + PROTOCOL)
    addresses = ld64(ip + SOURCE)
    if proto == P_ICMP:
        return icmp_session(worker, node, b, ip, fib, q)
    ports = ld64(b + INFO_WORD) & 0xFFFFFFFF
    if is_unknown(proto):
        lock(nat + N_LOCK)
        number = find(nat, addresses, key_of(0, fib, proto))
        if number < 0:
            number = make_unknown_out2in(worker, nat, addresses, proto, fib, m.time)
        unlock(nat + N_LOCK)
        if number < 0 and n.forwarding:
            return UNTOUCHED
        return (number & -2) | O2I if number >= 0 else number
    put_match(q, addresses, key_of(ports, fib, proto))
    number = find(nat, addresses, key_of(ports, fib, proto))
    if number >= 0:
        return (number & -2) | O2I
    mapping = match_external(nat, ld32(ip + DESTINATION), shr(ports, 16), proto)
    if mapping == 0:
        if proto == P_UDP and shr(ports, 16) == _DHCP_CLIENT:
            return UNTOUCHED
        return pass_forward(worker, node, b, ip, ports) if n.forwarding else refused(O_NO_TRANSLATION)
    if rec(mapping, MAPPING).flags & SM_IDENTITY:
        return UNTOUCHED
    if proto == P_TCP and not begins_connection(icmp_type(b)):
        return refused(O_NON_SYN)
    lock(nat + N_LOCK)
    number = find(nat, addresses, key_of(ports, fib, proto))  # another worker's may be there by now
    if number < 0:
        number = make_out2in(worker, nat, mapping, addresses, ports, proto, fib, m.time, False)
    unlock(nat + N_LOCK)
    return (number & -2) | O2I if number >= 0 else number


@kernel
def out2in_slow(worker: int, node: int, frame: int) -> int:
    """See the module's docstring."""
    pool = rec(worker, WORKER).pool
    d = rec(node, NODE)
    r = rec(d.data, RUNTIME)
    nat = r.nat
    counters = d.data + R_COUNTERS
    drops = rec(counters, COUNTERS).drops
    n = frame_n(frame)
    for i in range(n):
        b = pool + buffer_index(frame, i) * CELL
        m = rec(b, BUFFER)
        q = r.scratch + i * SCRATCH_SIZE
        s = rec(q, SCRATCH)
        s.number = -1
        s.outcome = SUCCESS
        ip = b + DATA + m.current_data
        if ld8(ip + TTL) == 1:
            time_exceeded(b, r.expired_error)
            set_next(frame, i, ICMP_ERROR)
            continue
        slot = rec(b, NAT_BUFFER).arc_next
        sw_if = m.rx_sw_if
        proto = ld8(ip + PROTOCOL)
        unknown = is_unknown(proto)
        number = session_for(worker, node, b, ip, q)
        if unknown:
            bump(rec(counters, COUNTERS).other, sw_if, 1)
        if number == UNTOUCHED or number == FROM_INSIDE:
            if proto == P_ICMP:
                bump(rec(counters, COUNTERS).icmp, sw_if, 1)
            set_next(frame, i, IN2OUT if number == FROM_INSIDE else slot)
            continue
        if number < 0:
            m.error = d.err_base + reason(number)
            bump(drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        s.number = number
        half = half_at(rec(nat, NAT).halves, number)
        f = rec(half, HALF)
        s.outcome = translate(b, ip, m.current_length, half, proto, rec(nat, NAT).mss, False, True)
        if s.outcome != SUCCESS:
            m.error = d.err_base + O_FAILED
            bump(drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        if not unknown:
            count_packet(counters, sw_if, proto)
        if proto == P_TCP and brings_news(half, icmp_type(b)):
            see_flags(nat, number, icmp_type(b), m.time)
        f.active = m.time
        f.packets += 1
        f.bytes += length_in_chain(b)
        set_next(frame, i, slot)
    return n
