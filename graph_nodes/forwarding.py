"""What IPv4 lookup leads to: data-path objects, load-balances and adjacencies.

As in VPP a prefix leads to a *load-balance* of 1 or a power of two of buckets; a bucket is a *data-path object*
(DPO): which node comes next and which object (an adjacency, say) it shall use. A load-balance with one bucket
holds it inline, so that the common path reads 16 bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.region import Region

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

DPO = np.dtype([("next", "i2"), ("type", "i2"), ("index", "i4")], align=True)
DPO_SIZE = DPO.itemsize

DPO_DROP, DPO_PUNT, DPO_ADJACENCY, DPO_ADJACENCY_INCOMPLETE, DPO_GLEAN, DPO_RECEIVE = range(6)
DPO_LOAD_BALANCE, DPO_LOOKUP, DPO_MIDCHAIN, DPO_ICMP_ERROR = range(6, 10)
DPO_INTERFACE_RX, DPO_PATH_MTU, DPO_ADJACENCY_MULTICAST = range(10, 13)

LOAD_BALANCE = np.dtype(
    [
        ("n_minus_1", "i2"),  # buckets, a power of two, less one
        ("hash", "i2"),  # HASH_* bits
        ("buckets", "i4"),  # index of the first bucket in the bucket memory, when there are several
        ("next", "i2"),  # the DPO, when there is one
        ("type", "i2"),
        ("index", "i4"),
    ],
    align=True,
)
LB_SIZE = LOAD_BALANCE.itemsize
INLINE_DPO = 8
"""Offset of the only bucket."""
assert LB_SIZE == 16
MAX_LOAD_BALANCES = 1 << 22
MAX_BUCKETS = 1 << 22
ROUTER_ID_BUCKET = 0
DROP_LB = 0
"""The load-balance of everything that has no route."""

HASH_SRC, HASH_DST, HASH_PROTO, HASH_SRC_PORT, HASH_DST_PORT, HASH_REVERSE, HASH_SYMMETRIC = 1, 2, 4, 8, 16, 32, 64
HASH_GTPV1_TEID = 128
HASH_DEFAULT = HASH_SRC | HASH_DST | HASH_PROTO | HASH_SRC_PORT | HASH_DST_PORT

ADJACENCY = np.dtype(
    [
        ("next", "i2"),  # slot in ip4-rewrite and its siblings
        ("rewrite_length", "i2"),
        ("sw_if_index", "i4"),
        ("mtu", "i4"),  # largest L3 packet that goes out this way
        ("type", "i2"),  # DPO_ADJACENCY ...
        ("flags", "i2"),
        ("next_hop", "i4"),  # IPv4 address as it stands in a packet; 0 for glean
        ("output_node", "i4"),
        ("fixup", "i4"),  # midchain: what of the inner header the outer one takes over (FIXUP_*)
        ("stacked", "i4"),  # midchain: load-balance that the outer packet follows
        ("short", "i1", (32,)),  # rewrite of up to 32 bytes, ending at the end of the field
        ("arp_source", "i4"),  # source of ARP requests, as it stands in a packet; 0: there is none
        ("arp_length", "i4"),  # of the ARP header that then ends `long` (neighbours and gleans)
        ("long", "i1", (120,)),  # a longer rewrite, ending at the end of the field
    ],
    align=True,
)
ADJ_SIZE = ADJACENCY.itemsize
assert ADJ_SIZE == 192
ADJ_SHORT_END, ADJ_LONG_END = 64, 192
MAX_ADJACENCIES = 1 << 20
ADJ_HAS_FEATURES = 1
ADJ_COUNTED = 2
FIXUP_COPY_DF, FIXUP_SET_DF, FIXUP_COPY_DSCP, FIXUP_COPY_ECN, FIXUP_COPY_TTL = 1, 2, 4, 8, 64
"""Numbers as of VPP's tunnel flags. Length and checksum of the outer header are always made."""


class IndexPool:
    """Hands out indices of a table that never moves, lowest first; retired ones come back through an epoch."""

    def __init__(self, plane: Dataplane, capacity: int, what: str) -> None:
        self._plane, self._capacity, self._what = plane, capacity, what
        self._free: list[int] = []
        self._top = 0

    def take(self) -> int:
        """One index.

        Raises:
            OverflowError: the table is full.
        """
        if self._free:
            return self._free.pop()
        return self.take_run(1)

    def take_run(self, n: int) -> int:
        """The first of ``n`` consecutive new indices."""
        first = self._top
        if first + n > self._capacity:
            raise OverflowError(f"no room for another {self._what}: all {self._capacity} are in use")
        self._top += n
        return first

    def give(self, index: int) -> None:
        """Make an index free once no worker can be using it."""
        self._plane.epochs.retire(lambda: self._free.append(index))


class Forwarding:
    """Load-balances, their buckets and adjacencies of one engine."""

    def __init__(self, plane: Dataplane) -> None:
        self._plane = plane
        self._lb_region = Region(MAX_LOAD_BALANCES * LB_SIZE, name="load-balances")
        self._bucket_region = Region(MAX_BUCKETS * DPO.itemsize, name="load-balance buckets")
        self._adj_region = Region(MAX_ADJACENCIES * ADJ_SIZE, name="adjacencies")
        self.load_balances: npt.NDArray[Any] = self._lb_region.view(LOAD_BALANCE, 0, MAX_LOAD_BALANCES)
        self.buckets: npt.NDArray[Any] = self._bucket_region.view(DPO, 0, MAX_BUCKETS)
        self.adjacencies: npt.NDArray[Any] = self._adj_region.view(ADJACENCY, 0, MAX_ADJACENCIES)
        self.lb_address = self._lb_region.address
        self.bucket_address = self._bucket_region.address
        self.adj_address = self._adj_region.address
        self.lb_pool = IndexPool(plane, MAX_LOAD_BALANCES, "load-balance")
        self.bucket_pool = IndexPool(plane, MAX_BUCKETS, "load-balance bucket")
        self.adj_pool = IndexPool(plane, MAX_ADJACENCIES, "adjacency")
        self.route_to = plane.stats.combined("/net/route/to", MAX_LOAD_BALANCES)
        self.route_via = plane.stats.combined("/net/route/via", MAX_LOAD_BALANCES)
        self.adj_counters = plane.stats.combined("/net/adjacency", MAX_ADJACENCIES)
        # no bucket, but the router id, which all flow hashes need: it lies where they read anyway
        self.router_id = self._bucket_region.view(np.dtype("u4"), 0, 2)[:1]
        assert self.bucket_pool.take() == ROUTER_ID_BUCKET
        assert self.lb_pool.take() == DROP_LB  # all zero: slot 0 of ip4-lookup is ip4-drop

    def close(self) -> None:
        """Give the memory back."""
        for region in (self._lb_region, self._bucket_region, self._adj_region):
            region.close()
