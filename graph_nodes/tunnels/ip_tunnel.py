"""GRE and IPIP tunnels as their input nodes see them: which interface a packet's addresses (and key) belong to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from vectorplane.dataplane.interface import MAX_INTERFACES
from vectorplane.dataplane.region import Region
from vectorplane.dataplane.tables.hash_map import HashMap
from vectorplane.jit.kernel import helper
from vectorplane.jit.ops import add

if TYPE_CHECKING:
    from vectorplane.dataplane.plane import Dataplane

IP_TUNNEL = np.dtype([("flags", "i4"), ("adj", "i4"), ("session", "i4"), ("instance", "i4"), ("sequence", "i8")])
"""``adj``: the adjacency of Ethernet tunnels; ``sequence``: where ERSPAN's next number is."""
IP_TUNNEL_SIZE = IP_TUNNEL.itemsize
MOST_TUNNELS = 65536
L3, TEB, ERSPAN, NONE = range(4)
"""What a GRE tunnel carries; `NONE`: what none does."""
DECAP_COPY_ECN = 16


@helper
def addresses_key(source: int, destination: int) -> int:
    """Both outer addresses, as they stand in a packet."""
    return add(source << 32, destination)


class IpTunnels:
    """The tunnels of one kind of an engine. Values of the map: sw_if_index."""

    name = "tunnels"

    def __init__(self, plane: Dataplane) -> None:
        self._region = Region(IP_TUNNEL_SIZE * MAX_INTERFACES, name=self.name)
        self.address = self._region.address
        self.records: npt.NDArray[Any] = self._region.view(IP_TUNNEL, 0, MAX_INTERFACES)
        self.map = HashMap(MOST_TUNNELS, 2, self.name)

    def close(self) -> None:
        """Give the memory back."""
        self.map.close()
        self._region.close()


class GreTable(IpTunnels):
    """GRE. Keys: source << 32 | destination of its packets; FIB | kind << 16 | key << 32 (ERSPAN: session << 32)."""

    name = "gre tunnels"

    def __init__(self, plane: Dataplane) -> None:
        super().__init__(plane)
        self._sequence_region = Region(8 * MOST_TUNNELS, name="gre sequence numbers")
        self.sequence_address = self._sequence_region.address
        self.sequences: npt.NDArray[Any] = self._sequence_region.view(np.dtype("i8"), 0, MOST_TUNNELS)

    def close(self) -> None:
        """Give the memory back."""
        super().close()
        self._sequence_region.close()


class IpipTable(IpTunnels):
    """IPIP. Keys: source << 32 | destination of its packets; FIB."""

    name = "ipip tunnels"
