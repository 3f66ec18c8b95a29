"""VXLAN and GENEVE tunnels as their nodes see them: a record each by sw_if_index, and the key under which packets come.

Both put 36 bytes in front of a frame (IPv4, UDP, 8 bytes of their own), which are kept ready but for lengths, the
source port and the checksum.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap
from vectorplane.jit.ops import offsets

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

UDP_TUNNEL = np.dtype(
    [
        ("header", "i8", (5,)),  # the first 36 bytes: outer IPv4, UDP, and the tunnel's own
        ("sum", "i4"),  # of the outer IPv4 header's words without its length, as a little-endian load sees them
        ("lb", "i4"),  # load-balance of its destination
        ("adjacency", "i8"),  # a group: data-path object of its multicast adjacency; 0: none
        ("is_l3", "i4"),  # what goes in are IP packets
        ("instance", "i4"),
        ("vni", "i4"),
        ("local", "i4"),  # its own address, as it stands in a packet
        ("fib", "i4"),
        ("next", "i4"),  # where decapsulated packets go
        ("in_use", "i4"),
        ("pad", "i4", (11,)),
    ],
    align=True,
)
TUNNEL_SIZE = UDP_TUNNEL.itemsize
assert TUNNEL_SIZE == 128
T_HEADER = offsets(UDP_TUNNEL, "header")[0]
HEADER_BYTES = 36
MOST_TUNNELS = 65536

NO_TUNNEL = -1


class UdpTunnels:
    """The tunnels of one kind of an engine."""

    name = "udp tunnels"

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(TUNNEL_SIZE * MAX_INTERFACES, name=self.name)
        self.address = self._region.address
        self.records: npt.NDArray[Any] = self._region.view(UDP_TUNNEL, 0, MAX_INTERFACES)
        self.map = HashMap(MOST_TUNNELS, 2, self.name)

    def changed(self) -> None:
        """Tunnels came or went."""

    def close(self) -> None:
        """Give the memory back."""
        self.map.close()
        self._region.close()


RECENT = np.dtype([("first", "i8"), ("second", "i8"), ("found", "i8"), ("next", "i8")])
"""A key of `VxlanTable` and what was found for it."""
RECENT_SIZE = RECENT.itemsize
RECENT_BITS = 14
"""Each worker remembers this many tunnels (a power of two), each in the place that its key's hash names. Reading the
map, beside others that write it, costs twice as much as all else that `vxlan4-input` does."""


class VxlanTable(UdpTunnels):
    """VXLAN. Keys: destination << 32 | source, port << 48 | fib << 32 | VNI word, all as they stand in the packet.

    Of a group only the destination (below 2**32). Values: sw_if_index.
    """

    name = "vxlan tunnels"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane)
        stride = RECENT_SIZE << RECENT_BITS
        self._recent = Region(64 + stride * plane.graph.workers, name="recent vxlan tunnels")
        self.changes_address = self._recent.address
        self._changes = self._recent.view(np.dtype("i8"), 0, 1)
        self._changes[0] = 1
        self.recent_addresses = [self._recent.address + 64 + k * stride for k in range(plane.graph.workers)]

    def changed(self) -> None:
        """Have the workers forget what they remember: each does so before its next vector."""
        self._changes[0] += 1

    def close(self) -> None:
        """Give the memory back."""
        self._recent.close()
        super().close()


class GeneveTable(UdpTunnels):
    """GENEVE. Keys: remote address, VNI word. Values: sw_if_index."""

    name = "geneve tunnels"
