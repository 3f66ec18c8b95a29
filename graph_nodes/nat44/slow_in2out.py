"""The slow path from inside: packets that have no session, or none any more.

Such a packet makes one, if it is for NAT at all (`untranslated`): refused are TCP packets other than a SYN ("non-SYN
packet try to create session"), ICMP errors ("unsupported ICMP type"), what finds no outside port ("out of ports") and
what would be one session too many ("maximum sessions exceeded"). ICMP queries must have a right checksum.
"""

from __future__ import annotations

from vectorplane.dataplane.abi import NODE, WORKER, buffer_index, frame_n, set_next
from vectorplane.dataplane.buffer import BUFFER, CELL, DATA, IS_NATED, length_in_chain, lock, unlock
from vectorplane.graph_nodes.ip4_header import DESTINATION, LENGTH, PROTOCOL, SOURCE, TTL
from vectorplane.graph_nodes.ip4_sv_buffer import BITS, INFO_WORD, IS_FRAGMENT
from vectorplane.graph_nodes.l4_checksum import chain_sum
from vectorplane.graph_nodes.nat44.buffer import NAT_BUFFER
from vectorplane.graph_nodes.nat44.counters import COUNTERS, bump, count_packet
from vectorplane.graph_nodes.nat44.errors import I_BAD_ICMP_TYPE, I_FAILED, I_UNSUPPORTED
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.make_in2out import UNTOUCHED, make_in2out, make_unknown_in2out, reason, refused
from vectorplane.graph_nodes.nat44.match import MATCH, icmp_match, icmp_type, key_of, put_match
from vectorplane.graph_nodes.nat44.nat import N_LOCK, NAT
from vectorplane.graph_nodes.nat44.nexts import DROP, ICMP_ERROR
from vectorplane.graph_nodes.nat44.packet import counted_interface, fib_of, header_offset, time_exceeded
from vectorplane.graph_nodes.nat44.runtime import R_COUNTERS, R_MATCH, RUNTIME, SCRATCH, SCRATCH_SIZE
from vectorplane.graph_nodes.nat44.session import HALF, I2O, P_ICMP, P_TCP, P_UDP, half_at, is_unknown
from vectorplane.graph_nodes.nat44.session_table import end_half
from vectorplane.graph_nodes.nat44.tcp_state import brings_news, see_flags
from vectorplane.graph_nodes.nat44.translate import SUCCESS, is_icmp_error, translate
from vectorplane.graph_nodes.nat44.untranslated import leaves_untouched, stays_inside
from vectorplane.jit.kernel import helper, kernel, routine
from vectorplane.jit.ops import be16, ld8, ld32, ld64, rec, shr

_DHCP_SERVER = 67 << 8
_BROADCAST = 0xFFFFFFFF


@helper
def is_fragment(b: int) -> bool:
    """Is the packet a fragment?"""
    return (shr(ld64(b + INFO_WORD), BITS) & IS_FRAGMENT) != 0


@routine
def icmp_sum_is_right(worker: int, b: int, ip: int, l3: int) -> bool:
    """Is the ICMP checksum right? That of a fragment can't be known."""
    if is_fragment(b):
        return True
    header = (ld8(ip) & 15) * 4
    return chain_sum(worker, b, l3 + header, be16(ip + LENGTH) - header, 0) == 0xFFFF


@routine
def session_for(worker: int, node: int, b: int, ip: int, l3: int, output: bool, q: int) -> int:
    """The half for packets from inside of a packet's session; else `UNTOUCHED` or `refused`."""
    r = rec(rec(node, NODE).data, RUNTIME)
    nat = r.nat
    out = rec(node, NODE).data + R_MATCH
    m = rec(b, BUFFER)
    fib = fib_of(worker, m.rx_sw_if)
    proto = ld8(ip + PROTOCOL)
    addresses = ld64(ip + SOURCE)
    ports = ld64(b + INFO_WORD) & 0xFFFFFFFF
    tx_sw_if = m.tx_sw_if if output else -1
    if is_unknown(proto):
        lock(nat + N_LOCK)
        number = find(nat, addresses, key_of(0, fib, proto))
        if number < 0 and not output and rec(nat, NAT).forwarding and stays_inside(nat, b, ip, fib):
            number = UNTOUCHED  # VPP asks that of protocols with ports only, and translates what else is only forwarded
        elif number < 0:
            number = make_unknown_in2out(worker, nat, addresses, proto, fib, m.time, out)
        unlock(nat + N_LOCK)
        return number
    if proto == P_ICMP:
        if not icmp_match(b, ip, m.current_length - l3, fib, q):
            return refused(I_UNSUPPORTED)
        match = rec(q, MATCH)
        number = find(nat, match.addresses, match.key)
        if number >= 0:  # one before it in its vector made a session; VPP lets the packet leave untranslated then
            return number & -2
        if output:
            quoted = shr(match.key, 32)
            if leaves_untouched(nat, b, addresses, quoted, proto, fib, fib_of(worker, tx_sw_if)):
                return UNTOUCHED
        elif stays_inside(nat, b, ip, fib):
            return UNTOUCHED
        if is_icmp_error(icmp_type(b)):
            return refused(I_BAD_ICMP_TYPE)
    else:
        put_match(q, addresses, key_of(ports, fib, proto))
        number = find(nat, addresses, key_of(ports, fib, proto))
        if number >= 0:
            return number & -2
        if output:
            if leaves_untouched(nat, b, addresses, ports, proto, fib, fib_of(worker, tx_sw_if)):
                return UNTOUCHED
            if proto == P_UDP and shr(ports, 16) == _DHCP_SERVER and ld32(ip + DESTINATION) == _BROADCAST:
                return UNTOUCHED
        elif stays_inside(nat, b, ip, fib):
            return UNTOUCHED
    lock(nat + N_LOCK)
    number = find(nat, addresses, key_of(ports, fib, proto))  # another worker's may be there by now
    if number < 0:
        number = make_in2out(worker, nat, addresses, ports, proto, icmp_type(b), fib, tx_sw_if, m.time, out)
    unlock(nat + N_LOCK)
    if proto == P_ICMP and number >= UNTOUCHED and not icmp_sum_is_right(worker, b, ip, l3):
        return refused(I_FAILED)
    return number & -2 if number >= 0 else number


@helper
def slow(worker: int, node: int, frame: int, output: bool) -> int:
    """The body of both nodes."""
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
        l3 = header_offset(b, r.adjacencies, output)
        ip = b + DATA + m.current_data + l3
        if not output and ld8(ip + TTL) == 1:
            time_exceeded(b, r.expired_error)
            set_next(frame, i, ICMP_ERROR)
            continue
        slot = rec(b, NAT_BUFFER).arc_next
        sw_if = counted_interface(b, output)
        proto = ld8(ip + PROTOCOL)
        unknown = is_unknown(proto)
        number = session_for(worker, node, b, ip, l3, output, q)
        if unknown:
            bump(rec(counters, COUNTERS).other, sw_if, 1)
        if number < UNTOUCHED:
            m.error = d.err_base + reason(number)
            bump(drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        if number == UNTOUCHED:
            if proto == P_ICMP:
                bump(rec(counters, COUNTERS).icmp, sw_if, 1)
            set_next(frame, i, slot)
            continue
        s.number = number
        m.flags |= IS_NATED
        half = half_at(rec(nat, NAT).halves, number)
        f = rec(half, HALF)
        s.outcome = translate(b, ip, m.current_length - l3, half, proto, rec(nat, NAT).mss, output, False)
        if s.outcome != SUCCESS:
            end_half(nat, number, f.addresses, f.key, m.time)
            s.number = -1
            m.error = d.err_base + I_FAILED
            bump(drops, sw_if, 1)
            set_next(frame, i, DROP)
            continue
        if not unknown:
            count_packet(counters, sw_if, proto)
        if proto == P_TCP and brings_news(half, icmp_type(b)):
            see_flags(nat, number | I2O, icmp_type(b), m.time)
        f.active = m.time
        f.packets += 1
        f.bytes += length_in_chain(b)
        set_next(frame, i, slot)
    return n


@kernel
def in2out_slow(worker: int, node: int, frame: int) -> int:
    """From inside."""
    return slow(worker, node, frame, False)


@kernel
def in2out_output_slow(worker: int, node: int, frame: int) -> int:
    """Out of an interface whose output feature NAT is."""
    return slow(worker, node, frame, True)
