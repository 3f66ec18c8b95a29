"""Which outside address and port a new session gets.

The address is VPP's choice: by the source, among those of the pool for its FIB and, as an output feature, its
interface. The port is the packet's own, if it is free for the same external endpoint, else one drawn by the flow's
hash that has the same lowest four bits; after ten tries the session is refused, as in VPP ("out of ports").

Ports that could be in each other's way thus belong to one external endpoint and one class of ports, and such flows to
one worker (`vectorplane.graph_nodes.nat44.owner`): what is given does not depend on how many there are.
"""

from __future__ import annotations

from vectorplane.graph_nodes.nat44.flow_table import find
from vectorplane.graph_nodes.nat44.mappings import by_external
from vectorplane.graph_nodes.nat44.nat import NAT, POOL, POOL_SIZE
from vectorplane.graph_nodes.nat44.session import P_ICMP
from vectorplane.jit.kernel import helper, routine
from vectorplane.jit.ops import bswap16, mul, rec, shr

ATTEMPTS = 10
FIRST_PORT = 1024
CLASSES = 16
"""Ports of a class have the same lowest bits."""
PARTITIONS = 256
"""As many parts of the ports of twice-NAT, by the flow's hash."""
_ALL = 65536 - FIRST_PORT
_STEP = 0x5851F42D4C957F2D


@helper
def _source_number(address: int) -> int:
    """VPP's hash of a source address."""
    return (address + (address >> 8) + (address >> 16) + (address >> 24)) & 0xFFFFFFFF


@helper
def draw(h: int, attempt: int, classes: int, one: int) -> int:
    """A port, host order: by chance among those from 1024 on that are ``one`` modulo ``classes``."""
    x = mul(h ^ mul(attempt + 1, _STEP), _STEP)
    return FIRST_PORT + (shr(x, 33) % (_ALL // classes)) * classes + one


@helper
def _bound_to(a: int, sw_if: int, destination: int) -> bool:
    """Is it an address of the interface, whose prefix holds the destination?"""
    p = rec(a, POOL)
    return p.bound != 0 and p.net == (destination & p.mask)


@routine
def pool_address(nat: int, fib: int, tx_sw_if: int, source: int, destination: int) -> int:
    """Address of the POOL record for a new session; 0: none. ``tx_sw_if`` -1: NAT is no output feature here."""
    n = rec(nat, NAT)
    count = n.n_pool
    if count == 0:
        return 0
    first = _source_number(source) % count
    here = 0
    by_interface = 0
    anywhere = 0
    net = destination
    for k in range(count):
        at = n.pool + (first + k if first + k < count else first + k - count) * POOL_SIZE
        p = rec(at, POOL)
        if p.fib == fib:
            if tx_sw_if >= 0:
                if p.sw_if == tx_sw_if:
                    if _bound_to(at, tx_sw_if, _as_signed(net)):
                        return int(at)
                    by_interface = at
            elif _bound_to(at, -1, _as_signed(net)):
                return int(at)
            here = at
        elif p.fib < 0:
            anywhere = at
    if by_interface != 0:
        return by_interface
    return here if here != 0 else anywhere


@helper
def _as_signed(address: int) -> int:
    """As a field of four bytes gives it."""
    return address - ((address & 0x80000000) << 1)


@routine
def free_port(
    nat: int, address: int, external: int, external_port: int, port: int, fib: int, proto: int, h: int
) -> int:
    """A port (as it stands in a packet) of outside address ``address`` towards an external endpoint; -1: none found.

    ``port``: the packet's own.
    """
    own = bswap16(port)
    kind = own & (CLASSES - 1)
    if own < FIRST_PORT:
        own = draw(h, ATTEMPTS, CLASSES, kind)
    addresses = external | mul(address, 1 << 32)
    for attempt in range(ATTEMPTS):
        candidate = bswap16(own)
        source = candidate if proto == P_ICMP else external_port
        key = proto | fib << 8 | source << 32 | mul(candidate, 1 << 48)
        reserved = rec(nat, NAT).n_mappings != 0 and by_external(nat, address, candidate, proto) != 0
        if not reserved and find(nat, addresses, key) < 0:
            return candidate
        own = draw(h, attempt, CLASSES, kind)
    return -1


@routine
def twice_pool_address(nat: int, fib: int, local: int) -> int:
    """Address of the POOL record that twice-NAT gives the external side of a session towards a local address; 0."""
    n = rec(nat, NAT)
    count = n.n_twice_pool
    if count == 0:
        return 0
    first = local % count
    anywhere = 0
    for k in range(count):
        at = n.twice_pool + (first + k if first + k < count else first + k - count) * POOL_SIZE
        p = rec(at, POOL)
        if p.fib == fib:
            return int(at)
        if p.fib < 0:
            anywhere = at
    return anywhere


@routine
def free_twice_port(
    nat: int, address: int, local: int, local_port: int, fib: int, proto: int, part: int, h: int
) -> int:
    """A port of a twice-NAT address towards a local endpoint (in ICMP, too, it stands where ports do); -1: none found.

    ``part``: the flow's partition, whose ports no other one draws.
    """
    addresses = local | mul(address, 1 << 32)
    for attempt in range(ATTEMPTS):
        candidate = bswap16(draw(h, attempt, PARTITIONS, part))
        if find(nat, addresses, proto | fib << 8 | local_port << 32 | mul(candidate, 1 << 48)) < 0:
            return candidate
    return -1
