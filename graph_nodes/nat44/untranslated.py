"""Which packets without a session are not for NAT: they go on as they are (VPP's ``not_translate`` rules)."""

from __future__ import annotations

from vectorplane.dataplane.buffer import BUFFER
from vectorplane.graph_nodes.ip4_header import DESTINATION, PROTOCOL, SOURCE
from vectorplane.graph_nodes.ip4_sv_buffer import INFO_WORD
from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.mappings import match_external
from vectorplane.graph_nodes.nat44.match import key_of, reversed_addresses, reversed_key
from vectorplane.graph_nodes.nat44.nat import NAT, ROLE_OUTPUT
from vectorplane.graph_nodes.nat44.reach import is_interface_address, is_resolvable
from vectorplane.graph_nodes.nat44.session import COLD, FWD_BYPASS, cold_at, is_unknown
from vectorplane.jit.kernel import routine
from vectorplane.jit.ops import ld8, ld32, ld64, rec, shr


@routine
def stays_inside(nat: int, b: int, ip: int, fib: int) -> bool:
    """From inside: neither an answer to a session, nor to a mapping, nor to anything outside."""
    n = rec(nat, NAT)
    proto = ld8(ip + PROTOCOL)
    ports = 0 if is_unknown(proto) else ld64(b + INFO_WORD) & 0xFFFFFFFF
    addresses = reversed_addresses(ld64(ip + SOURCE))
    if find(nat, addresses, reversed_key(key_of(ports, n.outside_fib, proto))) >= 0:
        return False
    destination = ld32(ip + DESTINATION)
    if match_external(nat, destination, shr(ports, 16), proto) != 0:
        return False
    if n.forwarding:
        return True
    if is_interface_address(nat, rec(b, BUFFER).rx_sw_if, destination):
        return True
    return not is_resolvable(nat, fib, destination)


@routine
def leaves_untouched(nat: int, b: int, addresses: int, ports: int, proto: int, rx_fib: int, tx_fib: int) -> bool:
    """Out of an interface with NAT as an output feature: translated before, or the answer to what was translated."""
    n = rec(nat, NAT)
    if find(nat, addresses, key_of(ports, tx_fib, proto)) >= 0:
        return True
    number = find(nat, reversed_addresses(addresses), reversed_key(key_of(ports, rx_fib, proto)))
    if number < 0 or rec(cold_at(n.colds, number >> 1), COLD).flags & FWD_BYPASS:
        return False
    return ld8(n.roles + rec(b, BUFFER).rx_sw_if) & ROLE_OUTPUT == 0
