"""What a node gets of a pool: a subnet, or one address. Both are a function of the node's number alone."""

from __future__ import annotations

from dataclasses import dataclass

from vectorplane.control.cluster.ipam.arithmetic import (
    Ip,
    IpInterface,
    Network,
    address_at,
    host_bits,
    in_network,
    index_of,
    subnet_at,
)
from vectorplane.control.cluster.ipam.error import IpamError


def _refuse(field: str, node: int, most: int, what: str) -> None:
    """Node ids are 1 to ``most``. Raises IpamError."""
    if node < 1:
        raise IpamError("node_id", f"expected 1 or more, got {node}")
    if node > most:
        raise IpamError(field, f"node id {node} is out of range: {what} for the ids 1 to {most}")


@dataclass(frozen=True)
class Subnets:
    """A pool cut into a subnet for each node. ``field``, ``length_field``: the settings that it comes from."""

    field: str
    length_field: str
    whole: Network
    length: int

    @property
    def most(self) -> int:
        """The highest node id that there is a subnet for."""
        return int(1 << (self.length - self.whole.prefixlen))

    def of(self, node: int) -> Network:
        """The subnet of a node.

        The first subnet is that of the highest id: counting starts at 1, and none is to be wasted.

        Raises:
            IpamError: there is none for that id.
        """
        _refuse(self.field, node, self.most, f"{self.whole} has subnets of /{self.length}")
        return subnet_at(self.whole, self.length, node % self.most)


@dataclass(frozen=True)
class Addresses:
    """A pool with an address for each node. ``excluded``: an address that is somebody else's, the default gateway."""

    field: str
    whole: Network
    excluded: Ip | None = None

    @property
    def _hole(self) -> int | None:
        return None if self.excluded is None else index_of(self.whole, self.excluded)

    @property
    def most(self) -> int:
        """The highest node id that there is an address for."""
        return int((1 << host_bits(self.whole)) - (1 if self._hole is None else 2))

    def of(self, node: int) -> IpInterface:
        """The address of a node: as far behind the pool's own as its id says, one farther from the excluded one on.

        Raises:
            IpamError: there is none for that id.
        """
        _refuse(self.field, node, self.most, f"{self.whole} has addresses")
        hole = self._hole
        index = node + 1 if hole is not None and hole <= node else node
        return in_network(self.whole, address_at(self.whole, index))
