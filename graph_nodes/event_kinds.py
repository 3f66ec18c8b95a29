"""The kinds of slow-path events (`vectorplane.dataplane.event`) that nodes post, in one place."""

from __future__ import annotations

NEIGHBOUR_LEARNT = 1
"""An ARP packet told of a new or changed neighbour: data = IPv4 address, MAC (its bytes as a little-endian number)."""
REASSEMBLY_STARTED = 2
"""A worker holds fragments: `Reassembly.expire` is to be called in time, from now on until none are left."""
NEIGHBOUR6_LEARNT = 3
"""The same for IPv6, of neighbour discovery: data = high and low half of the address (signed numbers), MAC."""
L2_FIB_GROWS = 4
"""The table of MAC addresses wants a bigger map (`vectorplane.graph_nodes.l2.fib`)."""
L2_ARP, L2_ND = 5, 6
"""ARP termination saw who has an address: data = IPv4 address, MAC; or high and low half of the IPv6 address, MAC."""
ACL_SESSIONS = 7
"""There are ACL sessions to look after, or so many that they want bigger maps."""
SV_REASSEMBLY_STARTED = 8
"""A worker has contexts of shallow virtual reassembly: they are to be looked at until none are left."""
NAT44_SESSIONS = 9
"""There are NAT sessions to look after, or so many that they want a bigger flow table."""
