"""What all NAT44 nodes of an engine share: settings, where the tables are, and the state of the session pool.

Addresses, ports and nets are as they stand in packets (little-endian loads of them); -1 is VPP's ~0.
"""

from __future__ import annotations

import numpy as np

from vectorplane.jit.ops import offsets

NAT = np.dtype(
    [
        # settings, written by the control side alone
        ("enabled", "i8"),
        ("forwarding", "i8"),
        ("mss", "i8"),  # most that a SYN may announce; 0: anything
        ("inside_fib", "i8"),
        ("outside_fib", "i8"),
        ("seed", "i8"),
        ("timeouts", "i8", (8,)),  # ns, by kind (session.KINDS)
        ("limits", "i8"),  # address of int32: most sessions by FIB
        ("n_limits", "i8"),
        ("pool", "i8"),  # POOL records
        ("n_pool", "i8"),
        ("twice_pool", "i8"),
        ("n_twice_pool", "i8"),
        ("outside_fibs", "i8"),  # int32
        ("n_outside_fibs", "i8"),
        ("vrf_tables", "i8"),  # VRF_TABLE records
        ("n_vrf_tables", "i8"),
        ("vrf_routes", "i8"),  # int32: FIBs
        ("roles", "i8"),  # a byte by interface: ROLE_*
        ("own_addresses", "i8"),  # hash map: address | interface << 32
        ("static_map", "i8"),  # hash map: mapping by `mapping_key`
        ("n_mappings", "i8"),
        ("mappings", "i8"),  # MAPPING records
        ("locals", "i8"),  # LOCAL records
        ("affinities", "i8"),  # hash map: AFFINITY record by client and service
        ("affinity_pool", "i8"),
        ("roots", "i8"),  # the FIBs, see ip4_lookup
        ("plies", "i8"),
        ("lbs", "i8"),
        ("buckets", "i8"),
        ("adjacencies", "i8"),
        ("workers", "i8"),
        ("total", "i8"),  # the counter of sessions
        ("pad", "i8", (3,)),
        # sessions: where they are
        ("halves", "i8"),
        ("colds", "i8"),
        ("lists", "i8"),  # LIST records of worker 0
        ("flows", "i8"),  # buckets of the flow table
        ("flow_mask", "i8"),  # buckets - 1
        ("most", "i8"),  # records there are
        ("pad2", "i8", (2,)),
        # and what changes with them, under the lock
        ("lock", "i8"),
        ("live", "i8"),
        ("top", "i8"),  # records from here on were never used
        ("free", "i8"),  # first free record; -1
        ("grow_at", "i8"),  # live at which a bigger flow table is asked for
        ("told", "i8"),  # the control side knows that there are sessions to look after
        ("pad3", "i8", (2,)),
    ],
    align=True,
)
N_LOCK, N_TIMEOUTS = offsets(NAT, "lock", "timeouts")

ROLE_INSIDE, ROLE_OUTSIDE, ROLE_OUTPUT = 1, 2, 4
"""`roles`: what an interface is to NAT; the last one: NAT is an output feature of it."""

LIST = np.dtype([("head", "i4"), ("tail", "i4")], align=True)
LIST_SIZE = LIST.itemsize
LISTS_SIZE = 64
"""Bytes of a worker's lists, by kind."""

POOL = np.dtype(
    [("address", "i4"), ("fib", "i4"), ("sw_if", "i4"), ("bound", "i4"), ("net", "i4"), ("mask", "i4"), ("pad", "i8")],
    align=True,
)
"""``bound``: it is an address of interface ``sw_if``, whose prefix is ``net`` / ``mask``."""
POOL_SIZE = POOL.itemsize

VRF_TABLE = np.dtype([("fib", "i4"), ("first", "i4"), ("n", "i4"), ("pad", "i4")], align=True)
VRF_TABLE_SIZE = VRF_TABLE.itemsize

MAPPING = np.dtype(
    [
        ("local", "i4"),
        ("external", "i4"),
        ("pool_address", "i4"),
        ("local_port", "i4"),
        ("external_port", "i4"),
        ("proto", "i4"),
        ("fib", "i4"),
        ("flags", "i4"),  # SM_*
        ("first_local", "i4"),
        ("n_locals", "i4"),
        ("affinity", "i8"),  # ns that a client stays with its backend; 0: not at all
        ("generation", "i8"),  # affinity records of an older one are none
        ("pad", "i8"),
    ],
    align=True,
)
MAPPING_SIZE = MAPPING.itemsize
assert MAPPING_SIZE == 64
SM_SELF_TWICE_NAT, SM_TWICE_NAT, SM_IDENTITY, SM_ADDR_ONLY, SM_EXACT, SM_OUT2IN_ONLY, SM_LB, SM_SWITCH_ADDRESS = (
    1 << k for k in range(1, 9)
)
"""Flags of a mapping; numbers as in VPP."""

LOCAL = np.dtype([("address", "i4"), ("port", "i4"), ("prefix", "i4"), ("fib", "i4")], align=True)
"""A backend; ``prefix``: its probability and those of the backends before it."""
LOCAL_SIZE = LOCAL.itemsize

AFFINITY = np.dtype(
    [
        ("address", "i4"),  # the backend
        ("port", "i4"),
        ("mapping", "i4"),
        ("next", "i4"),  # among the free
        ("generation", "i8"),
        ("references", "i8"),  # sessions that hold it
        ("expires", "i8"),  # without any: when it is none any more, ns
        ("client", "i8"),  # its key: client, service << 32
        ("service", "i8"),  # protocol, port << 32
        ("pad", "i8"),
    ],
    align=True,
)
"""Which backend a client has of a load-balanced service."""
AFFINITY_SIZE = AFFINITY.itemsize
assert AFFINITY_SIZE == 64

AFFINITY_POOL = np.dtype([("free", "i8"), ("top", "i8"), ("capacity", "i8"), ("live", "i8")])
AFFINITY_RECORDS = 64
"""Where the records begin behind the head."""
